// Somebody without an account: a stream on which nobody has logged in, and what they ask on it.

import type { Element } from '../../../lib/xmpp/element.js'
import type { Client } from '../../world/client.js'
import type { World } from '../../world/world.js'

export const NS_REGISTER = 'jabber:iq:register'
export const FEATURE = 'http://jabber.org/features/iq-register'

export class SignUpClient {
  readonly client: Client
  features!: Element

  constructor(
    world: World,
    { address, clear = false }: { address?: string; clear?: boolean } = {},
  ) {
    this.client = world.stranger()
    if (clear) this.client.transport.tls = undefined
    if (address) Object.assign(this.client.transport.remote, { address })
  }

  async opens(): Promise<this> {
    this.client.open()
    await this.client.settle()
    this.features = this.client.inbox.shift()!
    return this
  }

  asks(child = `<query xmlns='${NS_REGISTER}'/>`): Promise<Element> {
    return this.client.asks('get', 'capulet.example', child)
  }

  sets(child: string): Promise<Element> {
    return this.client.asks('set', undefined, child)
  }

  preauth(token: string): Promise<Element> {
    const child = `<preauth xmlns='urn:xmpp:pars:0' token='${token}'/>`
    return this.client.asks('set', 'capulet.example', child)
  }

  registers(username: string, password = 'a good password'): Promise<Element> {
    const fields = `<username>${username}</username><password>${password}</password>`
    return this.sets(`<query xmlns='${NS_REGISTER}'>${fields}</query>`)
  }

  submits(fields: Record<string, string>): Promise<Element> {
    const all = { FORM_TYPE: NS_REGISTER, ...fields }
    const written = Object.entries(all).map(
      ([name, value]) => `<field var='${name}'><value>${value}</value></field>`,
    )
    const form = `<x xmlns='jabber:x:data' type='submit'>${written.join('')}</x>`
    return this.sets(`<query xmlns='${NS_REGISTER}'>${form}</query>`)
  }
}

export async function signUp(
  world: World,
  options?: { address?: string; clear?: boolean },
): Promise<SignUpClient> {
  return new SignUpClient(world, options).opens()
}

/** 'result', or the condition of the error. */
export function outcome(answer: Element): string {
  if (answer.attrs.type !== 'error') return String(answer.attrs.type)
  const conditions = answer.getChild('error')?.getChildElements() ?? []
  return conditions.find((child) => child.getName() !== 'text')?.getName() ?? 'no condition'
}
