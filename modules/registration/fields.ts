// What in-band registration asks for and what it is given (XEP-0077 §3, §4): the plain fields, and a
// data form where a token is asked for, which the plain fields have no place for. A form that is sent
// back counts before the fields beside it.

import { type Element, xml } from '../../lib/xmpp/element.js'
import { StanzaError } from '../../lib/xmpp/errors.js'
import { form, readForm, type Submission } from '../../lib/xmpp/forms.js'

export const NS_REGISTER = 'jabber:iq:register'

/** XEP-0068 §3.4: a field that nobody registered begins so. */
const TOKEN_FIELD = 'x-token'

const CHOOSE = 'Choose a name and a password.'
const BY_INVITATION = 'Registration is by invitation: enter the token of yours.'

export interface Wishes {
  readonly username: string | undefined
  readonly password: string | undefined
  readonly token: string | undefined
}

/** `reserved`: the name that an invitation is for. */
export function plainFields(reserved: string | undefined): Element {
  return xml(
    'query',
    NS_REGISTER,
    xml('instructions', {}, CHOOSE),
    xml('username', {}, reserved),
    xml('password'),
  )
}

/** XEP-0077 §6: instructions instead of fields, because the token is no field of theirs. */
export function formWithToken(): Element {
  const required = true
  return xml(
    'query',
    NS_REGISTER,
    xml('instructions', {}, BY_INVITATION),
    form({
      type: 'form',
      of: NS_REGISTER,
      title: 'Registration',
      instructions: BY_INVITATION,
      fields: [
        { name: 'username', type: 'text-single', label: 'Name', required },
        { name: 'password', type: 'text-private', label: 'Password', required },
        { name: TOKEN_FIELD, type: 'text-single', label: 'Token of the invitation', required },
      ],
    }),
  )
}

/** XEP-0077 §3.1: of somebody who is registered. */
export function registeredFields(username: string): Element {
  return xml(
    'query',
    NS_REGISTER,
    xml('registered'),
    xml('username', {}, username),
    xml('password'),
  )
}

export function readWishes(query: Element): Wishes {
  const submitted = readForm(query)
  if (submitted) return wishesOf(submitted)
  const field = (name: string) => query.getChildText(name) || undefined
  return { username: field('username'), password: field('password'), token: undefined }
}

function wishesOf({ type, values }: Submission): Wishes {
  if (type === 'cancel') throw new StanzaError('bad-request', 'the form was cancelled')
  const field = (name: string) => values.get(name)?.[0] || undefined
  return {
    username: field('username'),
    password: field('password'),
    token: field(TOKEN_FIELD)?.trim(),
  }
}
