// The PRECIS profiles that addresses and nicknames need (RFC 8264): UsernameCaseMapped for localparts
// and OpaqueString for resources (RFC 8265), Nickname (RFC 8266). Sizes are left to jid.ts.
//
// Preparing a prepared text changes nothing. A code point outside its class is refused before it is
// mapped, not only after (RFC 8265 §3.3.2 stands before §3.3.3): U+212A is no other way to write k.

import {
  DERIVED,
  precisOf,
  propertiesOf,
  toComposed,
  toLowerCase,
  toNormalWidth,
} from './code-points.js'
import { JidError } from './jid-error.js'
import {
  codePoints,
  hasRightToLeft,
  meetsBidiRule,
  misplaced,
  named,
  needsContext,
} from './label-rules.js'

/** RFC 7622 §3.3.1 */
const NOT_IN_LOCALPART = /["&'/:<>@]/
const OTHER_SPACES = /[\xa0\u1680\u2000-\u200a\u202f\u205f\u3000]/g
/** RFC 8266 §2.3: how often the rules may be applied until they change nothing. */
const NICKNAME_ROUNDS = 4

/** RFC 8265 §3.3 */
export function usernameCaseMapped(text: string): string {
  const narrow = toNormalWidth(text)
  checkClass(codePoints(narrow), isIdentifier)
  const prepared = toComposed(toLowerCase(narrow))
  const codes = codePoints(prepared)
  checkClass(codes, isIdentifier)
  checkContext(codes)
  if (NOT_IN_LOCALPART.test(prepared)) throw new JidError('a localpart holds none of "&\'/:<>@')
  if (hasRightToLeft(codes) && !meetsBidiRule(codes)) {
    throw new JidError('the localpart mixes directions (RFC 5893)')
  }
  return prepared
}

/** RFC 8265 §4.2 with what RFC 7622 §3.5 says of a space in front */
export function opaqueString(text: string): string {
  checkClass(codePoints(text), isFreeform)
  const prepared = toComposed(text.replace(OTHER_SPACES, ' '))
  const codes = codePoints(prepared)
  checkClass(codes, isFreeform)
  checkContext(codes)
  if (prepared.startsWith(' ')) throw new JidError('the resource begins with a space')
  return prepared
}

/** RFC 8266 §2.3: how a nickname is shown. */
export function nickname(text: string): string {
  return untilStable(text, (round) => spaced(round).normalize('NFKC'))
}

/** RFC 8266 §2.4: equal for two nicknames that count as the same. */
export function nicknameKey(text: string): string {
  return untilStable(text, (round) => toLowerCase(spaced(round)).normalize('NFKC'))
}

function untilStable(text: string, apply: (text: string) => string): string {
  let before = text
  for (let round = 0; round < NICKNAME_ROUNDS; round++) {
    const codes = codePoints(before)
    checkClass(codes, isFreeform)
    checkContext(codes)
    const after = apply(before)
    if (after === '') throw new JidError('the nickname is empty')
    if (after === before) return after
    before = after
  }
  throw new JidError('the nickname has no stable form')
}

function spaced(text: string): string {
  return text.replace(OTHER_SPACES, ' ').replace(/ {2,}/g, ' ').replace(/^ | $/g, '')
}

/** RFC 8264 §4.2 and §4.3 */
const isIdentifier = (derived: number) => derived === DERIVED.VALID || needsContext(derived)
const isFreeform = (derived: number) => derived === DERIVED.FREEFORM || isIdentifier(derived)

function checkClass(codes: readonly number[], allows: (derived: number) => boolean): void {
  for (const code of codes) {
    if (!allows(precisOf(propertiesOf(code))))
      throw new JidError(`${named(code)} is not allowed here`)
  }
}

function checkContext(codes: readonly number[]): void {
  const code = misplaced(codes)
  if (code !== undefined) throw new JidError(`${named(code)} cannot stand where it stands`)
}
