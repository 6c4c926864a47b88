import { BlockList, isIPv4 } from 'node:net'
import { sellsFromStock } from '@/lib/catalog'
import { db, Prisma, type Tx } from '@/lib/db'
import { enqueue } from '@/lib/jobs'
import { accepted, newId, OperationalError, refused, type Refusal, type Result } from '@/lib/kit'
import type { HeldProxies, PurchasedProxy } from '@/lib/suppliers'
import { FIRST_LOOKUP_AFTER_MS } from './deliver-order'
import { readAccessJob } from './jobs'
import { enabledSupplierOf, type SupplierFor, supplierOf } from './suppliers-in-use'

/** What may be changed of how a proxy lets its customer in. An empty list of addresses goes back to login and password. */
export type AccessChange = { kind: 'rotate' } | { kind: 'bind'; addresses: readonly string[] }

/** What one customer binds at most: the smallest limit of the suppliers we know. */
export const ADDRESSES_MAX = 5

const SPECIAL = new BlockList()
// RFC 6890 and what came after it: no customer's own address is one of these.
for (const [network, prefix] of [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 3],
] as const)
  SPECIAL.addSubnet(network, prefix, 'ipv4')

/**
 * Addresses as typed, one a line or with commas: each once. Refuses `too_many_addresses` {max}, `address_unreadable` {address} (also IPv6: suppliers bind
 * IPv4 only) and `address_not_public` {address}.
 */
export function parseAddresses(
  text: string,
): Result<string[], Refusal<'too_many_addresses' | 'address_unreadable' | 'address_not_public'>> {
  const addresses = [...new Set(text.split(/[\s,;]+/).filter(Boolean))]
  if (addresses.length > ADDRESSES_MAX) return refused('too_many_addresses', { max: ADDRESSES_MAX })
  for (const address of addresses) {
    if (!isIPv4(address)) return refused('address_unreadable', { address: address.slice(0, 50) })
    if (SPECIAL.check(address, 'ipv4')) return refused('address_not_public', { address })
  }
  return accepted(addresses)
}

type Held = {
  id: string
  host: string
  port: number
  expiresAt: Date
  supplierRef: string | null
  supplier: string
  offerId: string
  supplierParams: Prisma.JsonValue
  supplierOrderId: string | null
}
type Group = { supplier: string; proxies: Held[] }

export type AccessPreview = {
  /** Proxies whose supplier can do it, and those it cannot be done for (from stock, or from a supplier that does not). */
  changeable: string[]
  unchangeable: number
}

/** For which of these proxies of an order the change can be asked for. Refuses `not_found`: somebody else's, or one that is not held now. */
export async function previewAccess(
  actor: { id: string },
  input: { orderId: string; allocationIds: readonly string[]; kind: AccessChange['kind'] },
  supplierFor: SupplierFor = enabledSupplierOf,
): Promise<Result<AccessPreview, Refusal<'not_found'>>> {
  const groups = await groupsOf(actor, input)
  if (!groups) return refused('not_found')
  const changeable: string[] = []
  for (const group of groups)
    if (await canChange(group, input.kind, supplierFor)) changeable.push(...group.proxies.map((proxy) => proxy.id))
  return accepted({ changeable, unchangeable: input.allocationIds.length - changeable.length })
}

export type AccessRefusal = Refusal<
  | 'not_found'
  | 'address_taken'
  | 'access_unchangeable'
  | 'access_refused'
  | 'access_unknown'
  | 'access_under_way'
  | 'access_unavailable'
>

/**
 * Has suppliers give these proxies of an order new login data, or bind them to addresses, once per request key. Takes seconds; what they answer is with the customer
 * at once. All of them or, where one supplier says no, those before it: the answer says how many. Refuses `not_found` (and then does nothing), `address_taken`
 * (another customer has bound it), `access_unchangeable` (none of them can), `access_under_way`, `access_refused` (the supplier said no: some change it only for a
 * whole order), `access_unknown` (no answer: what the supplier tells is taken over within a minute), `access_unavailable`.
 */
export async function changeAccess(
  actor: { id: string },
  input: { orderId: string; allocationIds: readonly string[]; change: AccessChange; requestKey: string },
  supplierFor: SupplierFor = enabledSupplierOf,
): Promise<Result<{ changed: number }, AccessRefusal>> {
  const { orderId, change } = input
  const groups = await groupsOf(actor, input)
  if (!groups) return refused('not_found')
  const able: Group[] = []
  for (const group of groups) if (await canChange(group, change.kind, supplierFor)) able.push(group)
  if (able.length === 0) return refused('access_unchangeable')
  const begun = await begin(actor, input)
  if (!begun.ok) return begun
  if (begun.value.isDone) return accepted({ changed: begun.value.changed })
  const { id } = begun.value
  let changed = 0
  for (const group of able) {
    try {
      const supplier = await supplierFor(group.supplier)
      const held = heldAs(group)
      const outcome =
        change.kind === 'rotate'
          ? await supplier.changeCredentials!(held)
          : await supplier.bindAddresses!({ ...held, addresses: [...change.addresses] })
      if (outcome.kind === 'refused') return await end(id, 'refused', changed, orderId, 'access_refused')
      changed += await takeOver(orderId, group, outcome.proxies, change)
    } catch (error) {
      if (!(error instanceof OperationalError)) throw error
      const isUnknown = error.name === 'UnknownOutcomeError'
      return end(
        id,
        isUnknown ? 'unknown' : 'refused',
        changed,
        orderId,
        isUnknown ? 'access_unknown' : 'access_unavailable',
      )
    }
  }
  await end(id, 'done', changed, orderId, null)
  return accepted({ changed })
}

async function canChange(group: Group, kind: AccessChange['kind'], supplierFor: SupplierFor): Promise<boolean> {
  if (sellsFromStock(group.supplier)) return false
  try {
    const { capabilities } = await supplierFor(group.supplier)
    return kind === 'rotate' ? capabilities.canChangeCredentials : capabilities.canWhitelistIp
  } catch (error) {
    // switched off, or its account cannot be opened: nothing can be asked of it now
    if (error instanceof OperationalError) return false
    throw error
  }
}

/** By supplier and order there. Null when one of them is not this customer's, of this order and held now. */
async function groupsOf(
  actor: { id: string },
  input: { orderId: string; allocationIds: readonly string[] },
): Promise<Group[] | null> {
  const groups = await heldGroupsOf(actor, input)
  const count = groups.reduce((sum, group) => sum + group.proxies.length, 0)
  return count > 0 && count === new Set(input.allocationIds).size ? groups : null
}

/** The same of those that are held now, whatever became of the others. */
async function heldGroupsOf(
  actor: { id: string },
  input: { orderId: string; allocationIds: readonly string[] },
): Promise<Group[]> {
  const ids = [...new Set(input.allocationIds)]
  const rows = await db().$queryRaw<Held[]>(Prisma.sql`
    SELECT a.id, a.host, a.port, a.expires_at AS "expiresAt", a.supplier_ref AS "supplierRef", f.supplier, a.offer_id AS "offerId",
           f.supplier_params AS "supplierParams", d.supplier_order_id AS "supplierOrderId"
    FROM allocations a JOIN offers f ON f.id = a.offer_id LEFT JOIN deliveries d ON d.id = a.delivery_id
    WHERE a.id = ANY (${ids}::text[]) AND a.order_id = ${input.orderId} AND a.user_id = ${actor.id} AND a.state = 'active' AND a.expires_at > now()
    ORDER BY a.position`)
  const groups = new Map<string, Group>()
  for (const row of rows) {
    const key = `${row.offerId} ${row.supplierOrderId}`
    const group = groups.get(key) ?? { supplier: row.supplier, proxies: [] }
    group.proxies.push(row)
    groups.set(key, group)
  }
  return [...groups.values()]
}

function heldAs({ proxies }: Group): HeldProxies {
  const first = proxies[0]!
  return {
    supplierOrderId: first.supplierOrderId,
    proxies: proxies.map(({ supplierRef, host, port, expiresAt }) => ({
      supplierRef: supplierRef ?? '',
      host,
      port,
      expiresAt,
    })),
    params: first.supplierParams as Record<string, unknown>,
  }
}

/** Notes the change under the order's lock, so that two at once stand in line and one form is one change. */
async function begin(
  actor: { id: string },
  input: { orderId: string; allocationIds: readonly string[]; change: AccessChange; requestKey: string },
): Promise<
  Result<
    { isDone: true; changed: number } | { isDone: false; id: string },
    Refusal<'address_taken' | 'access_under_way' | 'access_refused' | 'access_unknown'>
  >
> {
  const { orderId, change, requestKey } = input
  const addresses = change.kind === 'bind' ? [...change.addresses] : []
  return db().$transaction(async (tx) => {
    await tx.$queryRaw(Prisma.sql`SELECT id FROM orders WHERE id = ${orderId} FOR NO KEY UPDATE`)
    const old = await tx.accessChange.findUnique({
      where: { orderId_key: { orderId, key: requestKey } },
      select: { state: true, changed: true },
    })
    if (old?.state === 'done') return accepted({ isDone: true as const, changed: old.changed })
    if (old)
      return refused(
        old.state === 'calling' ? 'access_under_way' : old.state === 'unknown' ? 'access_unknown' : 'access_refused',
      )
    if (await tx.accessChange.findFirst({ where: { orderId, state: 'calling' }, select: { id: true } }))
      return refused('access_under_way')
    if (addresses.length > 0) {
      // Of two customers who bind the same address at once the second sees what the first has begun.
      for (const address of addresses.toSorted())
        await tx.$queryRaw(Prisma.sql`SELECT pg_advisory_xact_lock(hashtextextended('bind:' || ${address}, 0))::text`)
      const [taken] = await tx.$queryRaw<{ address: string }[]>(Prisma.sql`
        SELECT t.address FROM allocations a, unnest(a.bound_addresses) AS t(address)
        WHERE a.state IN ('active', 'in_grace') AND a.bound_addresses && ${addresses}::text[] AND a.user_id <> ${actor.id} AND t.address = ANY (${addresses}::text[])
        UNION ALL
        SELECT t.address FROM access_changes c, unnest(c.addresses) AS t(address)
        WHERE c.state = 'calling' AND c.user_id <> ${actor.id} AND t.address = ANY (${addresses}::text[]) LIMIT 1`)
      if (taken) return refused('address_taken', { address: taken.address })
    }
    const id = newId('acs')
    await tx.accessChange.create({
      data: {
        id,
        orderId,
        userId: actor.id,
        key: requestKey,
        kind: change.kind,
        allocationIds: [...input.allocationIds],
        addresses,
        state: 'calling',
      },
      select: { id: true },
    })
    // Promised before the call: a process that dies in it leaves login data that nobody knows.
    await enqueue(tx, readAccessJob, { accessChangeId: id }, { runAt: new Date(Date.now() + FIRST_LOOKUP_AFTER_MS) })
    return accepted({ isDone: false as const, id })
  })
}

async function end<Code extends 'access_refused' | 'access_unknown' | 'access_unavailable'>(
  id: string,
  state: 'done' | 'unknown' | 'refused',
  changed: number,
  orderId: string,
  code: Code | null,
): Promise<{ ok: false; refusal: Refusal<Code> }> {
  await db().$transaction(async (tx) => {
    const ended = await tx.accessChange.updateMany({
      where: { id, state: 'calling' },
      data: { state, changed, endedAt: new Date() },
    })
    if (ended.count > 0 && changed > 0) await tellChanged(tx, orderId, id, changed)
  })
  return refused((code ?? 'access_refused') as Code)
}

async function tellChanged(tx: Tx, orderId: string, id: string, changed: number): Promise<void> {
  const { kind } = await tx.accessChange.findUniqueOrThrow({ where: { id }, select: { kind: true } })
  await tx.orderEvent.create({
    data: { orderId, kind: 'access_changed', data: { quantity: changed, change: kind } },
    select: { id: true },
  })
}

/** Writes what a supplier tells of a group's proxies: their login data, and the addresses they were bound to. Returns how many it told of. */
async function takeOver(
  orderId: string,
  group: Group,
  told: readonly PurchasedProxy[],
  change: AccessChange | null,
): Promise<number> {
  const rows = group.proxies.flatMap(({ id, host, port, supplierRef }) => {
    const there = told.filter((proxy) => proxy.host === host && proxy.port === port)
    const now = there.find((proxy) => proxy.supplierRef === supplierRef) ?? (there.length === 1 ? there[0] : undefined)
    return now ? [{ id, username: now.username, password: now.password }] : []
  })
  const bound = change?.kind === 'bind' ? [...change.addresses] : null
  await db().$executeRaw(Prisma.sql`
    UPDATE allocations a SET username = x.username, password = x.password, bound_addresses = coalesce(${bound}::text[], a.bound_addresses)
    FROM jsonb_to_recordset(${JSON.stringify(rows)}::jsonb) AS x(id text, username text, password text)
    WHERE a.id = x.id AND a.order_id = ${orderId} AND a.state IN ('active', 'in_grace')`)
  return rows.length
}

/**
 * After a change whose answer never came, or whose process died: takes over the login data that the supplier tells now, so that the customer is not left with
 * an old one. Which addresses are bound no supplier tells; those stay as they were known. What ended meanwhile is left out, and a supplier that was switched off
 * is asked all the same. One that cannot be asked: OperationalError, the job waits.
 */
export async function readAccess(
  { accessChangeId }: { accessChangeId: string },
  supplierFor: SupplierFor = supplierOf,
): Promise<void> {
  const change = await db().accessChange.findUnique({
    where: { id: accessChangeId },
    select: { orderId: true, userId: true, allocationIds: true, state: true },
  })
  if (!change || change.state === 'done' || change.state === 'refused') return
  for (const group of await heldGroupsOf({ id: change.userId }, change)) {
    if (sellsFromStock(group.supplier)) continue
    const { readProxies } = await supplierFor(group.supplier)
    if (readProxies) await takeOver(change.orderId, group, await readProxies(heldAs(group)), null)
  }
  await db().accessChange.updateMany({
    where: { id: accessChangeId, state: 'calling' },
    data: { state: 'unknown', endedAt: new Date() },
  })
}
