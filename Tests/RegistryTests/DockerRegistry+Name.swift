import BuildModel
import HTTP
import Registry
import TestPeers

extension DockerRegistry {
  var name: RegistryName { get throws { try RegistryName(address) } }
}
