import BuildModel

extension TaskSpec.Driver {
  /// The driver, for one place.
  package func driver(at place: BuildPlace) -> any BuildDriver {
    switch self {
    case .barys: BarysCommand(place: place)
    case .balenaBuild(let settings): BalenaBuildCommand(place: place, settings: settings)
    case .command(let settings): OwnCommand(place: place, settings: settings)
    }
  }
}
