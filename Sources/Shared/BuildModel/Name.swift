import FoundationEssentials

/// What a kind of name may look like. Kinds are empty enums that only serve as the parameter of ``Name``.
package protocol NameKind: Sendable {
  /// What to call it in an error, for example "device type".
  static var noun: String { get }
  /// Whether an ASCII byte may stand in the name; the first byte must be a letter or a digit in every kind.
  static func allows(_ byte: UInt8) -> Bool
}

/// A validated name: 1 to 128 bytes, starts with a letter or digit, holds only what its kind allows.
///
/// No kind allows `/`, blanks, control characters or a leading `-` or `.`, so a name is safe as a path component and as a program argument.
package struct Name<Kind: NameKind>: Hashable, Sendable, Comparable, CustomStringConvertible {
  package let text: String

  /// Throws ``InvalidName`` when the text is not a name of this kind.
  package init(_ text: some StringProtocol) throws(InvalidName) {
    let bytes = text.utf8
    guard let first = bytes.first, bytes.count <= 128, first.isLetterOrDigit, bytes.allSatisfy(Kind.allows) else {
      throw InvalidName(noun: Kind.noun, text: String(text.prefix(160)))
    }
    self.text = String(text)
  }

  package var description: String { text }
  package static func < (a: Self, b: Self) -> Bool { a.text < b.text }
}

/// A text that is not a name of the kind that was asked for.
package struct InvalidName: BlamedError, Hashable {
  package let noun: String
  package let text: String
  package var blame: Blame { .request }

  package var description: String { "'\(text)' is not a valid \(noun) name" }
}

extension Name: Codable {
  package init(from decoder: any Decoder) throws {
    try self.init(decoder.singleValueContainer().decode(String.self))
  }
  package func encode(to encoder: any Encoder) throws {
    var container = encoder.singleValueContainer()
    try container.encode(text)
  }
}

extension UInt8 {
  var isLetterOrDigit: Bool {
    (48...57).contains(self) || (65...90).contains(self) || (97...122).contains(self)
  }
}

/// Kind of a device type's public id.
package enum SlugKind: NameKind {
  package static let noun = "device type"
  package static func allows(_ byte: UInt8) -> Bool {
    byte.isLetterOrDigit || byte == UInt8(ascii: "-") || byte == UInt8(ascii: "_") || byte == UInt8(ascii: ".")
  }
}
/// Kind of Yocto's MACHINE.
package enum MachineKind: NameKind {
  package static let noun = "machine"
  package static func allows(_ byte: UInt8) -> Bool { SlugKind.allows(byte) || byte == UInt8(ascii: "+") }
}
/// Kind of a hostOS block's name.
package enum BlockKind: NameKind {
  package static let noun = "block"
  package static func allows(_ byte: UInt8) -> Bool { SlugKind.allows(byte) }
}
/// Kind of a bitbake target.
package enum RecipeKind: NameKind {
  package static let noun = "recipe"
  package static func allows(_ byte: UInt8) -> Bool { MachineKind.allows(byte) }
}
/// Kind of an ipk package's name. Globs are not names.
package enum PackageKind: NameKind {
  package static let noun = "package"
  package static func allows(_ byte: UInt8) -> Bool { MachineKind.allows(byte) }
}
/// Kind of a worker host's name in the configuration.
package enum HostKind: NameKind {
  package static let noun = "host"
  package static func allows(_ byte: UInt8) -> Bool { SlugKind.allows(byte) }
}

package typealias Slug = Name<SlugKind>
package typealias Machine = Name<MachineKind>
package typealias BlockName = Name<BlockKind>
package typealias RecipeName = Name<RecipeKind>
package typealias PackageName = Name<PackageKind>
package typealias HostName = Name<HostKind>
