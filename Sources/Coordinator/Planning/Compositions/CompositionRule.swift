/// The rules that a composition is held to; the raw values are their names in messages.
package enum CompositionRule: String, Hashable, Sendable, CaseIterable {
  // Of a file alone.
  case size = "file-too-large"
  case syntax = "not-yaml"
  case aliases = "too-many-aliases"
  case nesting = "nested-too-deeply"
  case expansion = "too-many-values"
  case mergeKey = "merge-key"
  case tag = "unknown-tag"
  case key = "key-is-no-text"
  case number = "number-out-of-range"
  case shape = "unexpected-kind"

  // Of the merged whole.
  case noServices = "no-services"
  case serviceName = "bad-service-name"
  case unknownBuildKey = "unknown-x-build-key"
  case badRecipe = "bad-recipe"
  case badArgument = "bad-build-argument"
  case badAsset = "bad-asset-glob"
  case badImage = "bad-image-reference"
  case buildSlotWithoutBuild = "build-slot-without-x-build"
  case buildWithoutBuildSlot = "x-build-without-build-slot"
  case noProvenance = "no-build-provenance"
  case nothingToBuild = "empty-build-matrix"
  case missingHostapp = "missing-hostapp"
  case severalHostapps = "several-hostapps"
  case hostappRecipe = "hostapp-recipe"
  case hostappArguments = "hostapp-build-args"
  case duplicateRecipe = "duplicate-recipe"
  case duplicateOutput = "duplicate-image-output"
  case misplacedPlaceholder = "misplaced-placeholder"
}
