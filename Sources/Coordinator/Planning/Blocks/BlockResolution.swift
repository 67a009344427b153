import BuildModel

/// Turns the definition of a block that fits into what is to be built.
struct BlockResolution {
  let request: PlanRequest
  let catalog: BlockCatalog
  let deviceType: DeviceType
  let repository: DeviceRepository

  enum Resolved {
    case block(BlockSpec, notices: [String])
    /// The definition is sound, but what it says is not enough to build it.
    case impossible(String)
  }

  /// Throws where the definition itself is wrong.
  func resolve(_ entry: BlockCatalog.Entry) throws(PlanningError) -> Resolved {
    switch entry {
    case .contract(let contract): try resolve(contract)
    case .service(let service, _): .block(block(service), notices: [])
    }
  }

  private func resolve(_ contract: Contract) throws(PlanningError) -> Resolved {
    func wrong(_ reason: String) -> PlanningError { .unreadable(file: contract.file, line: nil, reason: reason) }
    guard let name = try? BlockName(contract.slug) else { throw wrong("'\(contract.slug.prefix(160))' is not a block name") }
    // In the second generation the lists hold what the block is composed of.
    let parts = [contract] + contract.packageLists.compactMap { catalog.contracts.packageLists[$0] }
    var packages: [PackageName] = []
    for text in parts.flatMap(\.packages) {
      guard let package = try? PackageName(text) else { throw wrong("'\(text.prefix(160))' is not a package name (globs are not allowed)") }
      if !packages.contains(package) { packages.append(package) }
    }
    var recipes: [RecipeName] = []
    for text in parts.flatMap(\.recipes) {
      guard let recipe = try? RecipeName(text) else { throw wrong("'\(text.prefix(160))' is not a recipe name") }
      if !recipes.contains(recipe) { recipes.append(recipe) }
    }
    var notices: [String] = []
    let origin: BlockOrigin
    if packages.isEmpty {
      guard let directory = contract.dockerfileDirectory else {
        let template = contract.hasDockerfileTemplate ? "; its Dockerfile.template is not used, only a Dockerfile is" : ""
        return .impossible("block \(name) lists no package (composedOf with type sw.package.yocto.ipk), and no Dockerfile lies beside it\(template)")
      }
      origin = .dockerfile(directory: directory, baseImage: nil)
    } else {
      // A recipe's packages are named by the recipe: nobody can tell it from the package's name, so package names are not tried as bitbake targets.
      guard !recipes.isEmpty || request.isFeedProvided else {
        return .impossible(
          "block \(name) lists no recipe (composedOf with type sw.recipe.yocto), so nothing says what makes its \(Counted(packages.count, "package")) "
            + "(\(packages.prefix(3).map(\.text).joined(separator: ", "))\(packages.count > 3 ? ", …" : "")): "
            + "recipes and packages have names of their own, and contracts before 2021-05 listed packages alone")
      }
      if let directory = contract.dockerfileDirectory {
        notices.append("block \(name): \(directory)/Dockerfile is not used, the contract lists packages")
      }
      origin =
        switch request.builder {
        case .packages: .packages
        case .dockerfile(let image): .dockerfile(directory: nil, baseImage: image)
        }
    }
    let labels = contract.imageLabels(defaults: catalog.contracts.defaults[contract.imageClass])
    return .block(spec(name, origin, packages: packages, recipes: recipes, labels: labels), notices: notices)
  }

  private func block(_ service: Composition.Service) -> BlockSpec {
    let revision = repository.checkout.root.commit.boardRevision
    let labels = service.labels.mapValues { $0 == Composition.Placeholder.revision ? revision : $0 }
    let origin: BlockOrigin
    switch service.provenance {
    case .registry(let reference): origin = .registry(reference: reference)
    case .built(let build):
      // A composition's check lets only the hostapp be without a recipe, and that is no block.
      guard let recipe = build.recipe else { preconditionFailure("a built service has a recipe") }
      origin = .recipe(recipe, arguments: build.arguments, assets: build.assets(for: deviceType.yocto.machine))
    }
    return spec(service.name, origin, packages: [], recipes: [], labels: labels)
  }

  private func spec(
    _ name: BlockName, _ origin: BlockOrigin, packages: [PackageName], recipes: [RecipeName], labels: [String: String]
  ) -> BlockSpec {
    BlockSpec(
      name: name, origin: origin, packages: packages, recipes: recipes, labels: labels, platform: deviceType.arch.platform,
      reference: "local/\(deviceType.slug)-\(name):\(repository.version.imageTag)",
      layering: origin == .packages ? request.layering : .single, allowsDevices: request.allowsDevices)
  }
}
