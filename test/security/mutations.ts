// Stanzas that are nearly right: what the modules of a host answer, with children missing, doubled,
// in a wrong namespace, with values of every odd kind. The same seed makes the same stanzas.

export interface Offered {
  readonly name: string
  readonly xmlns: string
}

interface Node {
  name: string
  attributes: Record<string, string>
  children: (Node | string)[]
}

const X = 'jabber:x:data'
const INFO = 'http://jabber.org/protocol/disco#info'

/** Children that some handler reads, so that a mutation is near the truth. */
const meaningful: readonly Node[] = [
  node(
    'item',
    { jid: 'benvolio@capulet.example', name: 'B', subscription: 'both', ask: 'subscribe' },
    [node('group', {}, ['Friends'])],
  ),
  node('item', { jid: 'benvolio@capulet.example', subscription: 'remove' }),
  node('username', {}, ['tybalt']),
  node('password', {}, ['a good password']),
  node('remove'),
  node('x', { xmlns: X, type: 'submit' }, [
    node('field', { var: 'FORM_TYPE', type: 'hidden' }, [
      node('value', {}, ['jabber:iq:register']),
    ]),
    node('field', { var: 'accountjid', type: 'jid-single' }, [
      node('value', {}, ['a@capulet.example']),
    ]),
  ]),
  node('x', { xmlns: X, type: 'cancel' }),
  node('note', { xmlns: 'urn:note' }, ['kept', node('deeper', { xmlns: '' }, [node('still')])]),
  node('query', { xmlns: INFO, node: 'urn:phone#ver' }, [
    node('identity', { category: 'client', type: 'phone' }),
    node('feature', { var: 'urn:x' }),
  ]),
  node('c', { xmlns: 'http://jabber.org/protocol/caps', hash: 'sha-1', node: 'urn:n', ver: 'v' }),
  node('sent', { xmlns: 'urn:xmpp:carbons:2' }, [
    node('forwarded', { xmlns: 'urn:xmpp:forward:0' }),
  ]),
  node('resource', {}, ['phone']),
  node('priority', {}, ['5']),
  node('show', {}, ['away']),
  node('status', {}, ['out']),
  node('body', {}, ['hello']),
  node('delay', { xmlns: 'urn:xmpp:delay', stamp: '2026-01-01T00:00:00Z' }),
  node('set', { xmlns: 'http://jabber.org/protocol/rsm' }, [
    node('max', {}, ['-1']),
    node('before'),
  ]),
  node('error', { type: 'cancel' }, [
    node('gone', { xmlns: 'urn:ietf:params:xml:ns:xmpp-stanzas' }),
  ]),
]

const attributeNames =
  'jid name node action sessionid status type var ver hash subscription ask id to from xml:lang seconds stamp __proto__'.split(
    ' ',
  )

const values = [
  '',
  ' ',
  '0',
  '-1',
  '1e309',
  '18446744073709551616',
  'NaN',
  'true',
  'execute',
  'complete',
  'remove',
  'both',
  'none',
  '__proto__',
  'constructor',
  'romeo@capulet.example',
  'romeo@capulet.example/phone',
  'juliet@capulet.example',
  'capulet.example',
  'benvolio@far.example/\u{1f339}',
  '@',
  'a@b@c',
  'a@/b',
  '/\u200b',
  'x'.repeat(3000),
  '\u{1f339}'.repeat(500),
  '&amp;&lt;&gt;&apos;&quot;',
  "' OR 1=1; --",
  '../../etc/passwd',
  '%s%n',
  '\u202e\u0301\ufeff',
  '2026-02-30T25:61:61Z',
  'sha-1',
]

const namespaces = [
  '',
  'jabber:client',
  'urn:x',
  X,
  INFO,
  'http://www.w3.org/2000/xmlns',
  'jabber:server',
]

function node(
  name: string,
  attributes: Record<string, string> = {},
  children: Node['children'] = [],
): Node {
  return { name, attributes, children }
}

/** Mulberry32 */
export function dice(seed: number): () => number {
  let state = seed
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state)
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32
  }
}

export class Mutations {
  readonly #random: () => number
  readonly #offers: readonly Offered[]

  constructor(seed: number, offers: readonly Offered[]) {
    this.#random = dice(seed)
    this.#offers = offers
  }

  pick<T>(list: readonly T[]): T {
    return list[Math.floor(this.#random() * list.length)]!
  }

  chance(share: number): boolean {
    return this.#random() < share
  }

  value(): string {
    return this.pick(values)
  }

  /** The one child of a request, or none, or several. */
  payload(): string {
    const { name, xmlns } = this.pick(this.#offers)
    const made = node(name, { xmlns }, this.#children(3))
    while (this.chance(0.5)) this.#mutate(made)
    const text = written(made)
    if (this.chance(0.02)) return ''
    return this.chance(0.02) ? text + text : text
  }

  /** Whatever stands in a message or presence. */
  content(): string {
    return this.#children(4)
      .map((child) => (typeof child === 'string' ? quoted(child) : written(child)))
      .join('')
  }

  /** Fields of these names, some of them, with whatever values; nobody's address who is needed. */
  form(names: readonly string[]): string {
    const field = (name: string): Node => {
      const many = this.chance(0.2) ? 3 : 1
      const filled = Array.from({ length: many }, () => node('value', {}, [this.#harmless()]))
      return node('field', { var: this.chance(0.05) ? this.value() : name }, filled)
    }
    const chosen = names.filter(() => this.chance(0.9)).map(field)
    const type = this.chance(0.95) ? 'submit' : this.pick(['cancel', 'form', 'result', ''])
    const hidden = node('field', { var: 'FORM_TYPE' }, [
      node('value', {}, ['http://jabber.org/protocol/admin']),
    ])
    return written(node('x', { xmlns: X, type }, [hidden, ...chosen]))
  }

  #harmless(): string {
    return this.pick(values.filter((value) => !value.includes('juliet')))
  }

  #children(most: number): Node['children'] {
    const count = Math.floor(this.#random() * most)
    return Array.from({ length: count }, () => {
      if (this.chance(0.1)) return this.value()
      const child = structuredClone(this.pick(meaningful))
      while (this.chance(0.4)) this.#mutate(child)
      return child
    })
  }

  #mutate(root: Node): void {
    const at = this.#somewhere(root)
    const changes = [
      () => (at.attributes[this.pick(attributeNames)] = this.value()),
      () => at.children.push(this.value()),
      () => at.children.push(structuredClone(this.pick(meaningful))),
      () => at.children.splice(0, 1),
      () => at.children.push(...structuredClone(at.children.slice(0, 3))),
      () => (at.attributes.xmlns = this.pick(namespaces)),
      () =>
        (at.name = this.pick(['item', 'query', 'x', 'value', 'field', 'stream', 'iq', 'message'])),
      () => (at.attributes = {}),
      () => at.children.push(this.#deep(40)),
      () => (at.children = Array.from({ length: 100 }, () => node('item', { jid: this.value() }))),
    ]
    this.pick(changes)()
    // The request keeps its own name now and then only.
    if (at === root && at.attributes.xmlns === undefined)
      at.attributes.xmlns = this.pick(this.#offers).xmlns
  }

  #somewhere(root: Node): Node {
    const inside = root.children.filter((child): child is Node => typeof child !== 'string')
    return inside.length === 0 || this.chance(0.5) ? root : this.#somewhere(this.pick(inside))
  }

  #deep(levels: number): Node {
    return levels === 0 ? node('bottom') : node('deeper', {}, [this.#deep(levels - 1)])
  }
}

function written({ name, attributes, children }: Node): string {
  const inside = children.map((child) =>
    typeof child === 'string' ? quoted(child) : written(child),
  )
  const outside = Object.entries(attributes).map(([key, value]) => ` ${key}='${quoted(value)}'`)
  return `<${name}${outside.join('')}>${inside.join('')}</${name}>`
}

function quoted(text: string): string {
  return text
    .replace(/&(?!\w+;)/g, '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll("'", '&apos;')
}
