import TestFiles
import TestPeers

/// A certificate authority and a certificate for 127.0.0.1 and localhost, made by openssl.
package struct TestAuthority {
  package let authority: String
  package let certificate: String
  package let key: String

  package init(in scratch: String) throws {
    authority = scratch + "/ca.pem"
    certificate = scratch + "/cert.pem"
    key = scratch + "/key.pem"
    let curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
    try Tool.run(
      ["openssl", "req", "-x509", "-days", "2", "-subj", "/CN=blockfarm test authority", "-keyout", scratch + "/ca.key", "-out", authority] + curve)
    try Tool.run(["openssl", "req", "-subj", "/CN=localhost", "-keyout", key, "-out", scratch + "/csr.pem"] + curve)
    try write(Array("subjectAltName=DNS:localhost,IP:127.0.0.1\n".utf8), to: scratch + "/ext")
    try Tool.run([
      "openssl", "x509", "-req", "-days", "2", "-in", scratch + "/csr.pem", "-CA", authority, "-CAkey", scratch + "/ca.key", "-CAcreateserial",
      "-extfile",
      scratch + "/ext", "-out", certificate,
    ])
  }
}
