// The messages of SCRAM (RFC 5802 §7), read strictly: what is ill-formed is undefined.

export interface ClientFirst {
  /** 'n', 'y', or the channel binding's name */
  readonly binding: { readonly flag: 'n' | 'y' } | { readonly flag: 'p'; readonly type: string }
  readonly authzid: string
  readonly name: string
  readonly nonce: string
  /** With its commas, as `c=` repeats it */
  readonly gs2: string
  readonly bare: string
}

export interface ClientFinal {
  readonly binding: Buffer
  readonly nonce: string
  readonly proof: Buffer
  readonly withoutProof: string
}

// RFC 5802 §7: cb-name, and nonces of printable characters but the comma.
const GS2 = /^(?:(n|y)|p=([A-Za-z0-9.-]{1,64})),(?:a=([^,]+))?,/
// Extensions may follow the nonce; one in front (`m=`) is mandatory, and we know none.
const FIRST = /^n=([^,]+),r=([\x21-\x2b\x2d-\x7e]{1,256})(?:,[A-Za-z]=[^,]+)*$/
const FINAL = /^c=([A-Za-z0-9+/=]+),r=([\x21-\x2b\x2d-\x7e]{1,512})(?:,[A-Za-z]=[^,]+)*$/
const PROOF = /^p=([A-Za-z0-9+/=]+)$/

export function readFirst(text: string): ClientFirst | undefined {
  const gs2 = GS2.exec(text)
  if (!gs2) return undefined
  const bare = text.slice(gs2[0].length)
  const first = FIRST.exec(bare)
  const name = first && saslName(first[1]!)
  const authzid = gs2[3] === undefined ? '' : saslName(gs2[3])
  if (!first || !name || authzid === undefined || bare.includes('\0')) return undefined
  const flag = gs2[1] as 'n' | 'y' | undefined
  const binding = flag ? { flag } : ({ flag: 'p', type: gs2[2]! } as const)
  return { binding, authzid, name, nonce: first[2]!, gs2: gs2[0], bare }
}

export function readFinal(text: string): ClientFinal | undefined {
  const last = text.lastIndexOf(',')
  const withoutProof = text.slice(0, Math.max(last, 0))
  const final = FINAL.exec(withoutProof)
  const proof = PROOF.exec(text.slice(last + 1))
  const [binding, proved] = [final && decode64(final[1]!), proof && decode64(proof[1]!)]
  if (!final || !binding || !proved) return undefined
  return { binding, proof: proved, nonce: final[2]!, withoutProof }
}

/** RFC 5802 §5.1: `=2C` and `=3D`, and no other `=`. */
function saslName(text: string): string | undefined {
  if (/=(?!2C|3D)/.test(text)) return undefined
  return text.replaceAll('=2C', ',').replaceAll('=3D', '=')
}

/** RFC 4648 §4 and nothing beside it: no white space, no missing padding, no stray bits. */
export function decode64(text: string): Buffer | undefined {
  const data = Buffer.from(text, 'base64')
  return data.toString('base64') === text ? data : undefined
}
