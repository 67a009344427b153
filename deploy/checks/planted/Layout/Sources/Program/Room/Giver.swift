// For deploy/check-layout: Giver and Taker need each other, which is to be found, and nothing else.
struct Giver {
  let taker: Taker
}
