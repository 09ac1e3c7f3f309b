// Text for property tests: what strangers send who know Unicode well. Plain random code points
// rarely meet a rule; these characters are the ones that the rules are about.

import fc from 'fast-check'

const TRICKY = [
  ...'abzAZlL019-_.@/:<>&"\' \\~',
  ...'\u212a\u212b\u0130\u0131\u017f\u00df\u1e9e\u03a3\u03c3\u03c2\u01c5\u2163\u00aa',
  ...'\uff21\uff20\uff0f\uff0e\u3002\uff61\u3000\uff71\uffa1\uff9e',
  ...'\u13a0\uab70\u10a0\u10d0\u1c90\u2d00',
  ...'\u200c\u200d\u094d\u0915\u0628\u0640\u0644\u0660\u06f0\u06fd',
  ...'\u00b7\u0375\u05f3\u05f4\u30fb\u30a2\u3042\u4e00',
  ...'\u05d0\u0627\u064e\u202e\u200f\u200b\u00ad\ufeff\ufe0f',
  ...'\u0301\u0307\u0327\u0338\u0345\u1100\u1161\u11a8\uac00\u0958\u0344\u1fef\u037e\u2126',
  ...'\u00a0\u2003\u2028\u0000\u0009\u007f\u0085\ufffe\uffff\ufffd\ue000\u0378',
  '\ud800',
  '\udc00',
  ...'\u{1f600}\u{1d400}\u{1e900}\u{10400}\u{2f800}\u{e0001}\u{10ffff}',
]

/** A text of at most `maxLength` of those, of any code points, or of ASCII. */
export function hostileText(maxLength = 12): fc.Arbitrary<string> {
  const unit = fc.oneof(
    { weight: 6, arbitrary: fc.constantFrom(...TRICKY) },
    { weight: 1, arbitrary: fc.string({ unit: 'binary', minLength: 1, maxLength: 1 }) },
    { weight: 2, arbitrary: fc.constantFrom(...'abcxyz0189') },
  )
  return fc.string({ unit, minLength: 1, maxLength })
}

/** What `prepare` makes of a text; undefined where it refuses. Other errors are bugs and pass. */
export function prepared(
  prepare: (text: string) => string,
  text: string,
  refusal: new (message?: string) => Error,
): string | undefined {
  try {
    return prepare(text)
  } catch (error) {
    if (error instanceof refusal) return undefined
    throw error
  }
}
