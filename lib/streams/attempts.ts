// How often a stream may fail to log in. RFC 6120 §6.4.5 recommends 2 to 5: wrong passwords are counted
// so; mechanisms that could not begin tell nobody anything and count less.

const GUESSES = 5
const ATTEMPTS = 20

export class Attempts {
  #guesses = 0
  #all = 0

  /** Whether it was one too many. */
  failed(guess: boolean): boolean {
    this.#all++
    if (guess) this.#guesses++
    return this.#guesses >= GUESSES || this.#all >= ATTEMPTS
  }
}
