// Addresses of peers in one form: IPv4 as such even when it came through a dual-stack socket, IPv6
// without a zone. Limits and bans count by `networkOf`: an address, or what one IPv6 customer has.

import { isIPv4, isIPv6 } from 'node:net'

/** Undefined where the text is no address. */
export function plainAddress(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  if (text.startsWith('::ffff:') && isIPv4(text.slice(7))) return text.slice(7)
  const zone = text.indexOf('%')
  const address = (zone < 0 ? text : text.slice(0, zone)).toLowerCase()
  return isIPv4(address) || isIPv6(address) ? address : undefined
}

/** IPv4: the address itself; IPv6: its /64. */
export function networkOf(address: string): string {
  return isIPv6(address) ? `${groupsOf(address).slice(0, 4).join(':')}::/64` : address
}

export function groupsOf(address: string): string[] {
  const [head = '', tail] = address.split('::')
  const before = split(head)
  if (tail === undefined) return before
  const after = split(tail)
  return [...before, ...Array(Math.max(0, 8 - before.length - after.length)).fill('0'), ...after]
}

function split(groups: string): string[] {
  return groups === '' ? [] : groups.split(':').flatMap(plainGroup)
}

/** Without leading zeros, so that two ways to write an address count as one. */
function plainGroup(group: string): string[] {
  if (!group.includes('.')) return [Number.parseInt(group, 16).toString(16)]
  const [a = 0, b = 0, c = 0, d = 0] = group.split('.').map(Number)
  return [(a * 256 + b).toString(16), (c * 256 + d).toString(16)]
}

export function isLoopback(address: string): boolean {
  return address === '::1' || address.startsWith('127.')
}
