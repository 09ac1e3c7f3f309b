// Logins by every mechanism over a real connection, and how each is refused.

import { createHash } from 'node:crypto'
import type { TLSSocket } from 'node:tls'
import type { Element } from '../../lib/xmpp/element.js'
import { ScramClient, type ScramClientOptions } from '../modules/authentication/scram-client.js'
import { nameOf, type Peer } from './driver.js'
import { NS_SASL, passwordOf } from './served.js'

export const NS_SASL2 = 'urn:xmpp:sasl:2'

export interface LoginOptions extends Partial<ScramClientOptions> {
  /** Instead of the answer that a client would give to the challenge */
  change?(final: Buffer): Buffer
}

/** 'success', or the condition of the failure. */
export function verdict(answer: Element | undefined): string {
  if (!answer) return 'the end'
  return answer.getName() === 'failure' ? nameOf(answer) : answer.getName()
}

async function answerTo(peer: Peer, text: string): Promise<Element | undefined> {
  peer.sends(text)
  return peer.next()
}

export function plain(peer: Peer, name: string, password: string, authzid = '') {
  const initial = Buffer.from(`${authzid}\0${name}\0${password}`).toString('base64')
  return answerTo(peer, `<auth xmlns='${NS_SASL}' mechanism='PLAIN'>${initial}</auth>`)
}

export function plain2(peer: Peer, name: string, password: string, authzid = '') {
  const initial = Buffer.from(`${authzid}\0${name}\0${password}`).toString('base64')
  const inside = `<initial-response>${initial}</initial-response>`
  return answerTo(
    peer,
    `<authenticate xmlns='${NS_SASL2}' mechanism='PLAIN'>${inside}</authenticate>`,
  )
}

export interface ScramOutcome {
  readonly client: ScramClient
  readonly answer: Element | undefined
}

/** SASL; the answer to the first message that was no challenge. */
export async function scram(
  peer: Peer,
  name: string,
  options: LoginOptions = {},
): Promise<ScramOutcome> {
  const { change = (final: Buffer) => final, mechanism = 'SCRAM-SHA-256' } = options
  const client = new ScramClient({ password: passwordOf(name), ...options, name, mechanism })
  const first = client.first().toString('base64')
  const challenge = await answerTo(
    peer,
    `<auth xmlns='${NS_SASL}' mechanism='${mechanism}'>${first}</auth>`,
  )
  if (challenge?.getName() !== 'challenge') return { client, answer: challenge }
  const final = client.final(Buffer.from(challenge.getText(), 'base64'))
  const answer = await answerTo(
    peer,
    `<response xmlns='${NS_SASL}'>${change(final).toString('base64')}</response>`,
  )
  return { client, answer }
}

export async function scram2(
  peer: Peer,
  name: string,
  options: LoginOptions = {},
): Promise<ScramOutcome> {
  const { mechanism = 'SCRAM-SHA-256' } = options
  const client = new ScramClient({ password: passwordOf(name), ...options, name, mechanism })
  const first = `<initial-response>${client.first().toString('base64')}</initial-response>`
  const challenge = await answerTo(
    peer,
    `<authenticate xmlns='${NS_SASL2}' mechanism='${mechanism}'>${first}</authenticate>`,
  )
  if (challenge?.getName() !== 'challenge') return { client, answer: challenge }
  const final = client.final(Buffer.from(challenge.getText(), 'base64')).toString('base64')
  return {
    client,
    answer: await answerTo(peer, `<response xmlns='${NS_SASL2}'>${final}</response>`),
  }
}

/** RFC 9266, as the client has it */
export function exporterOf(peer: Peer): Buffer {
  const socket = peer.socket as TLSSocket
  return socket.exportKeyingMaterial(32, 'EXPORTER-Channel-Binding', Buffer.alloc(0))
}

/** RFC 5929 §4 */
export function endPointOf(peer: Peer): Buffer {
  const { raw } = (peer.socket as TLSSocket).getPeerX509Certificate()!
  return createHash('sha256').update(raw).digest()
}

export function mechanismsIn(features: Element): string[] {
  const list = features.getChild('mechanisms')?.getChildren('mechanism') ?? []
  return list.map((one) => one.getText())
}
