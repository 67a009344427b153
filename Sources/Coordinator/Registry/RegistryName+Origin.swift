import BuildModel
import HTTP

extension RegistryName {
  /// Where the registry's API is. Docker Hub's has another name than its references.
  func origin(_ scheme: HTTPURL.Scheme) throws(HTTPError) -> HTTPURL {
    try HTTPURL("\(scheme.rawValue)://\(text == "docker.io" ? "registry-1.docker.io" : text)/")
  }
}
