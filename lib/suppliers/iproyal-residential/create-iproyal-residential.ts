import { randomBytes } from 'node:crypto'
import type { z } from 'zod'
import { invariant, OperationalError } from '@/lib/kit'
import { gigabytesOf } from '../amounts'
import {
  asking,
  type CallOptions,
  readShape,
  sendCall,
  spending,
  type SupplierAnswer,
  type SupplierCall,
} from '../call'
import { refusalWords } from '../refusal-words'
import { type SubAccount, type Supplier, type TrafficSupplier, UnknownOutcomeError } from '../supplier'
import {
  accountSchema,
  type ResidentialParams,
  residentialParamsSchema,
  type SubUser,
  subUserPageSchema,
  subUserSchema,
} from './schemas'

const NAME = 'iproyal-residential'
const PATH = '/residential-subusers'
/** Beyond it a number of theirs could no longer name every byte: nine million gigabytes. */
const MAX_BYTES = 9_000_000n * 1_000_000_000n

/**
 * IPRoyal's residential traffic: sub-users of one parent account, each with gigabytes of its own that left the parent and return to it when the
 * sub-user is deleted. Nothing is ordered here; the `traffic` part does everything.
 */
export function createIproyalResidential(options: { baseUrl: string; apiKey: string } & CallOptions): Supplier {
  const { apiKey } = options

  async function send(method: SupplierCall['method'], path: string, body?: unknown): Promise<SupplierAnswer> {
    const url = `${options.baseUrl.replace(/\/$/, '')}${path}`
    const headers = { authorization: `Bearer ${apiKey}` }
    return sendCall(NAME, { method, label: `${method} ${path}`, url, headers, body }, options)
  }

  /** Null: they have no such thing. */
  function ask<Schema extends z.ZodType>(path: string, schema: Schema): Promise<z.infer<Schema> | null> {
    return asking(NAME, async () => {
      const { status, body } = await send('GET', path)
      if (status === 404) return null
      if (status >= 400) throw new OperationalError(NAME, `GET ${path}: ${refusalWords(status, body, apiKey)}`)
      return readShape(`GET ${path}`, schema, body)
    })
  }

  const createSubAccount: TrafficSupplier['createSubAccount'] = async ({ reference, bytes, params }) => {
    assertBytes(bytes)
    const at = residentialParamsSchema.safeParse(params)
    if (!at.success) return { kind: 'refused', code: 'rejected', detail: 'the offer names an impossible place' }
    return spending(NAME, async () => {
      const password = randomBytes(12).toString('hex')
      const wish = { username: usernameOf(reference), password, traffic: gigabytesOf(bytes) }
      const { status, body } = await send('POST', PATH, wish)
      if (status >= 400) {
        // Their words for a "no" are not described: whether the parent has too little can be asked.
        const left = await getTraffic().catch(() => null)
        const code = left && left.availableBytes < bytes ? 'supplier_unfunded' : 'rejected'
        return { kind: 'refused', code, detail: refusalWords(status, body, apiKey) }
      }
      return { kind: 'created', account: toAccount(readShape(`POST ${PATH}`, subUserSchema, body), at.data) }
    })
  }

  const findSubAccount: TrafficSupplier['findSubAccount'] = async (reference, params) => {
    const username = usernameOf(reference)
    const found = new Map<string, SubUser>()
    const read = new Set<string>()
    for (let page = 1; ; page += 1) {
      const answer = await ask(`${PATH}?page=${page}`, subUserPageSchema)
      if (!answer) throw new OperationalError(NAME, 'the list of sub-users is not there')
      const before = read.size
      for (const user of answer.data) {
        read.add(user.hash)
        if (user.username === username) found.set(user.hash, user)
      }
      const last = answer.meta?.last_page
      // Where the last page is not told, it is the one that brings nothing new.
      if (typeof last === 'number' ? page >= last : read.size === before) break
    }
    if (found.size > 1) throw new OperationalError(NAME, 'cannot tell: two sub-users have that name')
    const [user] = found.values()
    return user ? toAccount(user, paramsOf(params)) : null
  }

  const readSubAccount: TrafficSupplier['readSubAccount'] = async (hash, params) => {
    const user = await ask(placeOf(hash), subUserSchema)
    return user && toAccount(user, paramsOf(params))
  }

  const giveTraffic: TrafficSupplier['giveTraffic'] = async (hash, bytes, params) => {
    assertBytes(bytes)
    await spending(NAME, async () => {
      const { status, body } = await send('POST', `${placeOf(hash)}/give-traffic`, { amount: gigabytesOf(bytes) })
      if (status >= 400) throw new OperationalError(NAME, `give-traffic: ${refusalWords(status, body, apiKey)}`)
    })
    // What the call answers is not described; what the account has now is.
    try {
      const account = await readSubAccount(hash, params)
      if (account) return account
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error
    }
    throw new UnknownOutcomeError(NAME, 'traffic was given, and the sub-user cannot be read')
  }

  const closeSubAccount: TrafficSupplier['closeSubAccount'] = (hash) =>
    spending(NAME, async () => {
      const { status, body } = await send('DELETE', placeOf(hash))
      if (status >= 400 && status !== 404)
        throw new OperationalError(NAME, `DELETE ${PATH}: ${refusalWords(status, body, apiKey)}`)
    })

  async function getTraffic(): Promise<{ availableBytes: bigint }> {
    const account = await ask('/me', accountSchema)
    if (!account) throw new OperationalError(NAME, 'the account is not there')
    return { availableBytes: account.available_traffic }
  }

  return {
    name: NAME,
    capabilities: {
      model: 'traffic',
      canBuy: false,
      canRenew: false,
      canRenewSubset: false,
      canReplace: false,
      canChangeCredentials: false,
      canWhitelistIp: false,
      canChangeProtocol: false,
      hasTraffic: true,
      hasStock: false,
      hasWebhooks: false,
      periodUnit: 'plans',
      isAsync: false,
    },
    buy: () =>
      Promise.resolve({
        kind: 'refused',
        code: 'rejected',
        detail: 'traffic is granted to a sub-account, not ordered',
      }),
    quote: () => Promise.resolve(null),
    findPurchase: () => Promise.resolve(null),
    getStock: () => Promise.resolve(0),
    getBalance: () => Promise.reject(new OperationalError(NAME, 'this account holds traffic and no money: getTraffic')),
    traffic: { createSubAccount, findSubAccount, readSubAccount, giveTraffic, closeSubAccount, getTraffic },
  }
}

/** The reference as a user name of small letters and digits, which every vendor takes: anything else, and the sign itself, as "x" with two hex digits. */
function usernameOf(reference: string): string {
  invariant(/^[\w.-]{1,50}$/.test(reference), 'a reference has 1 to 50 letters, digits, "_", "-" or "."')
  return reference.replaceAll(/[^a-wyz0-9]/g, (sign) => `x${sign.charCodeAt(0).toString(16)}`)
}

function assertBytes(bytes: bigint): void {
  invariant(bytes > 0n && bytes <= MAX_BYTES, 'traffic is granted in bytes, more than none and below nine million GB')
}

function placeOf(hash: string): string {
  invariant(hash !== '', 'an empty hash would name all sub-users')
  return `${PATH}/${encodeURIComponent(hash)}`
}

function paramsOf(params: Record<string, unknown>): ResidentialParams {
  const parsed = residentialParamsSchema.safeParse(params)
  if (!parsed.success) throw new OperationalError(NAME, 'the offer names an impossible place')
  return parsed.data
}

function toAccount(user: SubUser, { host, port, location = '' }: ResidentialParams): SubAccount {
  return {
    supplierRef: user.hash,
    host,
    port,
    username: user.username,
    password: `${user.password}${location}`,
    grantedBytes: user.traffic_available + user.traffic_used,
    usedBytes: user.traffic_used,
  }
}
