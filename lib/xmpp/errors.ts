// The three errors that mean something. StanzaError answers the sender, StreamError closes the
// stream, ConfigError refuses to start. Anything else that is thrown is a bug.

/** RFC 6120 §8.3.3: each condition with the type that its definition names. */
const stanzaConditions = {
  'bad-request': 'modify',
  conflict: 'cancel',
  'feature-not-implemented': 'cancel',
  forbidden: 'auth',
  gone: 'cancel',
  'internal-server-error': 'cancel',
  'item-not-found': 'cancel',
  'jid-malformed': 'modify',
  'not-acceptable': 'modify',
  'not-allowed': 'cancel',
  'not-authorized': 'auth',
  'policy-violation': 'modify',
  'recipient-unavailable': 'wait',
  redirect: 'modify',
  'registration-required': 'auth',
  'remote-server-not-found': 'cancel',
  'remote-server-timeout': 'wait',
  'resource-constraint': 'wait',
  'service-unavailable': 'cancel',
  'subscription-required': 'auth',
  'undefined-condition': 'cancel',
  'unexpected-request': 'wait',
} as const

export type StanzaCondition = keyof typeof stanzaConditions

export function isStanzaCondition(name: string): name is StanzaCondition {
  return Object.hasOwn(stanzaConditions, name)
}

export type StanzaErrorType = 'auth' | 'cancel' | 'continue' | 'modify' | 'wait'

/** An application condition (RFC 6120 §8.3.4): one empty element in its own namespace. */
export interface ApplicationCondition {
  name: string
  xmlns: string
  attributes?: Readonly<Record<string, string>>
}

export class StanzaError extends Error {
  override name = 'StanzaError'
  readonly condition: StanzaCondition
  readonly type: StanzaErrorType
  readonly text: string | undefined
  readonly application: ApplicationCondition | undefined

  constructor(
    condition: StanzaCondition,
    text?: string,
    more: { type?: StanzaErrorType; application?: ApplicationCondition } = {},
  ) {
    super(text ? `${condition}: ${text}` : condition)
    this.condition = condition
    this.type = more.type ?? stanzaConditions[condition]
    this.text = text
    this.application = more.application
  }
}

/** RFC 6120 §4.9.3 */
export type StreamCondition =
  | 'bad-format'
  | 'bad-namespace-prefix'
  | 'conflict'
  | 'connection-timeout'
  | 'host-gone'
  | 'host-unknown'
  | 'improper-addressing'
  | 'internal-server-error'
  | 'invalid-from'
  | 'invalid-namespace'
  | 'invalid-xml'
  | 'not-authorized'
  | 'not-well-formed'
  | 'policy-violation'
  | 'remote-connection-failed'
  | 'reset'
  | 'resource-constraint'
  | 'restricted-xml'
  | 'see-other-host'
  | 'system-shutdown'
  | 'undefined-condition'
  | 'unsupported-encoding'
  | 'unsupported-feature'
  | 'unsupported-stanza-type'
  | 'unsupported-version'

export class StreamError extends Error {
  override name = 'StreamError'
  readonly condition: StreamCondition
  readonly text: string | undefined
  readonly application: ApplicationCondition | undefined

  constructor(condition: StreamCondition, text?: string, application?: ApplicationCondition) {
    super(text ? `${condition}: ${text}` : condition)
    this.condition = condition
    this.text = text
    this.application = application
  }
}

/** One thing that is wrong with the configuration, and where. */
export interface ConfigFault {
  message: string
  path: string
  file?: string
  line?: number
  column?: number
  /** The lines around it, with a mark below the place */
  frame?: string
}

export class ConfigError extends Error {
  override name = 'ConfigError'
  readonly faults: readonly ConfigFault[]

  constructor(faults: readonly ConfigFault[]) {
    super(faults.map((fault) => fault.message).join('\n'))
    this.faults = faults
  }
}
