// SASL2 for the login client: texts of elements and a whole login.

import type { Element } from '../../../lib/xmpp/element.js'
import { data, type LoginClient } from './login-client.js'
import { ScramClient, type ScramClientOptions } from './scram-client.js'

export const NS_SASL2 = 'urn:xmpp:sasl:2'
export const AGENT = 'd4565fa7-4d72-4749-b3d3-740edbf87770'

export interface AuthenticateOptions {
  initial?: Buffer
  agent?: string | null
  /** Further elements inside */
  inside?: string
}

export function authenticate(mechanism: string, options: AuthenticateOptions = {}): string {
  const { initial, agent = AGENT, inside = '' } = options
  const response = initial
    ? `<initial-response>${initial.toString('base64')}</initial-response>`
    : ''
  const who =
    agent === null ? '' : `<user-agent id='${agent}'><software>Veil</software></user-agent>`
  return `<authenticate xmlns='${NS_SASL2}' mechanism='${mechanism}'>${response}${who}${inside}</authenticate>`
}

export function response(bytes: Buffer): string {
  return `<response xmlns='${NS_SASL2}'>${bytes.toString('base64')}</response>`
}

/** The answer to the mechanism's last message. */
export async function scram2(
  login: LoginClient,
  scram: ScramClientOptions,
  options: AuthenticateOptions = {},
): Promise<{ answer: Element; client: ScramClient }> {
  const client = new ScramClient(scram)
  const initial = client.first()
  const challenge = await login.says(authenticate(scram.mechanism, { ...options, initial }))
  if (challenge.getName() !== 'challenge') return { answer: challenge, client }
  return { answer: await login.says(response(client.final(data(challenge)))), client }
}

export const romeo: ScramClientOptions = {
  mechanism: 'SCRAM-SHA-256',
  name: 'romeo',
  password: 'secret of romeo',
}

export function identity(success: Element): string | undefined {
  return success.getChildText('authorization-identifier') ?? undefined
}

export function additional(element: Element): Buffer {
  return Buffer.from(element.getChildText('additional-data') ?? '', 'base64')
}
