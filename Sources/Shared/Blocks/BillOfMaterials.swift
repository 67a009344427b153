import BuildModel
import CanonicalJSON
import FoundationEssentials

/// What a block consists of, as an SPDX 2.3 document in JSON: the image, its packages with version, declared licence, digest and recipe.
package struct BillOfMaterials: Encodable {
  private struct Creation: Encodable {
    var created: String
    var creators = ["Tool: blockfarm"]
  }
  private struct Checksum: Encodable {
    var algorithm = "SHA256"
    var checksumValue: String
  }
  private struct Reference: Encodable {
    var referenceCategory = "PACKAGE-MANAGER"
    var referenceType = "purl"
    var referenceLocator: String
  }
  private struct Package: Encodable {
    var SPDXID: String
    var name: String
    var versionInfo: String?
    var primaryPackagePurpose: String
    var downloadLocation = LicenseExpressions.unknown
    var filesAnalyzed = false
    var licenseConcluded = LicenseExpressions.unknown
    var licenseDeclared: String
    /// What the index says, where the expression is not that.
    var licenseComments: String?
    var copyrightText = LicenseExpressions.unknown
    var checksums: [Checksum]
    var sourceInfo: String?
    var externalRefs: [Reference]?
    /// By which name the block lists it, where that is not its own.
    var comment: String?
  }
  private struct Relationship: Encodable {
    var spdxElementId: String
    var relationshipType: String
    var relatedSpdxElement: String
  }
  private struct License: Encodable {
    var licenseId: String
    var name: String
    var extractedText: String
  }

  private var spdxVersion = "SPDX-2.3"
  private var dataLicense = "CC0-1.0"
  private var SPDXID = "SPDXRef-DOCUMENT"
  private var name: String
  private var documentNamespace: String
  private var creationInfo: Creation
  private var packages: [Package]
  private var relationships: [Relationship]
  private var hasExtractedLicensingInfos: [License]

  /// A function of its arguments alone; `epoch` is seconds since 1970.
  package init(_ result: BlockResult, epoch: Int64) {
    self.init(block: result.name, image: result.manifest.digest, packages: result.packages, epoch: epoch)
  }

  /// `image` names the image: the digest of its OCI manifest, or of its configuration where there is no manifest.
  package init(block: BlockName, image: Digest, packages: [BlockResult.Package], epoch: Int64) {
    name = block.text
    documentNamespace = "https://spdx.org/spdxdocs/blockfarm-\(block)-\(image.hex)"
    creationInfo = Creation(created: Date(timeIntervalSince1970: Double(epoch)).formatted(Date.ISO8601FormatStyle()))
    var licenses = LicenseExpressions()
    self.packages = [
      Package(
        SPDXID: "SPDXRef-Image", name: block.text, primaryPackagePurpose: "CONTAINER", licenseDeclared: LicenseExpressions.unknown,
        checksums: [Checksum(checksumValue: image.hex)],
        externalRefs: [Reference(referenceLocator: "pkg:oci/\(block.text.lowercased())@sha256%3A\(image.hex)")])
    ]
    relationships = [Relationship(spdxElementId: SPDXID, relationshipType: "DESCRIBES", relatedSpdxElement: "SPDXRef-Image")]
    for (index, package) in packages.enumerated() {
      let declared = licenses.expression(package.license)
      // Names of packages may hold what identifiers may not; the number keeps them apart.
      let id = "SPDXRef-Package-\(index + 1)-" + package.name.text.map { $0.isLetter || $0.isNumber || $0 == "." ? $0 : "-" }
      self.packages.append(
        Package(
          SPDXID: id, name: package.name.text, versionInfo: package.version, primaryPackagePurpose: "INSTALL", licenseDeclared: declared,
          licenseComments: package.license.flatMap { $0 == declared ? nil : "The feed's index says: \($0.prefix(4096))" },
          checksums: [Checksum(checksumValue: package.digest.hex)],
          sourceInfo: package.recipe.map { "built from the recipe \($0), for the package architecture \(package.architecture)" },
          comment: package.listedAs.map { "The block lists it as \($0.map(\.text).joined(separator: ", "))" }))
      relationships.append(Relationship(spdxElementId: "SPDXRef-Image", relationshipType: "CONTAINS", relatedSpdxElement: id))
    }
    hasExtractedLicensingInfos = licenses.references.sorted { $0.key < $1.key }.map {
      License(
        licenseId: $0.key, name: $0.value, extractedText: "The feed's index names this licence '\($0.value)'; the feed does not hold its text.")
    }
  }

  /// The file's content: JSON in one line, keys sorted.
  package func bytes() throws -> [UInt8] { try CanonicalJSON.encode(self) }
}
