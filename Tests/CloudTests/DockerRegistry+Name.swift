import Cloud
import TestPeers

extension DockerRegistry {
  var name: RegistryName { get throws { try RegistryName(address) } }
}
