import { z } from 'zod'
import { accepted, refused, type Refusal, type Result } from '@/lib/kit'
import { quoteRenewal, renewOrder } from '@/lib/orders'
import { type AccessChange, changeAccess, parseAddresses, previewAccess } from '@/lib/provisioning'
import {
  listCredits,
  previewRefund,
  previewReplacement,
  refundProxies,
  REPLACE_REASONS,
  replaceProxies,
} from '@/lib/remedies'
import { parseTags, retagProxies } from './mark-proxies'
import type { SelectionPart } from './selections'

/** What happens, or would, to some proxies of an order. */
export type BulkLine = {
  kind:
    | 'renewed'
    | 'held'
    | 'replaced'
    | 'requested'
    | 'waiting'
    | 'credited'
    | 'given_back'
    | 'retagged'
    | 'rotated'
    | 'bound'
    | 'refused'
    | 'left_out'
  count: number
}
/** What an action would do to the chosen proxies of one order, or has done. */
export type BulkOutcome = {
  lines: BulkLine[]
  /** Off the balance, and onto it. */
  paysMicros: bigint
  givesMicros: bigint
}
export type BulkPreview = BulkOutcome & {
  /** Why nothing can be done here; null when something will be. */
  refusal: Refusal<BulkCode> | null
  /** What the confirmation has to find again, or nothing is done: the sum, or how many. */
  shown: string
  /** Periods this order can be renewed for. */
  periods: number[]
}

export type BulkCode =
  | 'not_found'
  | 'not_renewable'
  | 'period_unavailable'
  | 'price_changed'
  | 'in_debt'
  | 'insufficient_balance'
  | 'renewal_open'
  | 'key_reused'
  | 'nothing_to_refund'
  | 'nothing_to_replace'
  | 'supplier_unavailable'
  | 'proxy_being_replaced'
  | 'order_under_way'
  | 'preview_outdated'
  | 'too_many_tags'
  | 'tag_too_long'
  | 'too_many_own_tags'
  | 'nothing_selected'
  | 'too_many_addresses'
  | 'address_unreadable'
  | 'address_not_public'
  | 'address_taken'
  | 'access_unchangeable'
  | 'access_refused'
  | 'access_unknown'
  | 'access_under_way'
  | 'access_unavailable'

type Actor = { id: string }

/**
 * One thing that can be done with a selection, order by order. `read` makes a choice of what a form says; `preview` does nothing; `act` does what was
 * shown, once per request key, or refuses.
 */
export type BulkAction<Choice> = {
  read: (typed: Record<string, unknown>) => Result<Choice, Refusal<BulkCode>>
  preview: (actor: Actor, part: SelectionPart, choice: Choice) => Promise<BulkPreview>
  act: (
    actor: Actor,
    part: SelectionPart,
    choice: Choice,
    confirmed: { shown: string; requestKey: string },
  ) => Promise<Result<BulkOutcome, Refusal<BulkCode>>>
}

const NOTHING: BulkOutcome = { lines: [], paysMicros: 0n, givesMicros: 0n }
const lines = (...all: BulkLine[]): BulkLine[] => all.filter((line) => line.count > 0)

function refusedPreview(part: SelectionPart, refusal: Refusal<BulkCode>, periods: number[] = []): BulkPreview {
  return { ...NOTHING, lines: lines({ kind: 'left_out', count: part.proxies.length }), refusal, shown: '', periods }
}

/** Those of an order's chosen proxies that an action can be about, and how many are left out. */
function choose(part: SelectionPart, isFit: (proxy: SelectionPart['proxies'][number]) => boolean) {
  const ids = part.proxies.filter(isFit).map((proxy) => proxy.id)
  return { orderId: part.orderId, allocationIds: ids, leftOut: part.proxies.length - ids.length }
}

/** Why none of an order's chosen proxies can take part: its supplier exchanges them just now, or what the action says. */
function noneOf(part: SelectionPart, code: BulkCode): BulkPreview {
  const isWaiting = part.proxies.some((proxy) => proxy.isBeingReplaced)
  return refusedPreview(part, { code: isWaiting ? 'proxy_being_replaced' : code, facts: {} })
}

const isRenewable = (proxy: SelectionPart['proxies'][number]) =>
  proxy.standing !== 'ended' && !proxy.isByTraffic && !proxy.isBeingReplaced
const canBeGivenBack = (proxy: SelectionPart['proxies'][number]) => proxy.standing !== 'ended' && !proxy.isBeingReplaced

const renewChoice = z.object({
  /** Left out: each order for its own period. */
  days: z.preprocess(
    (value) => (value === '' ? undefined : value),
    z.coerce.number().int().min(1).max(3660).optional().catch(undefined),
  ),
})

const renew: BulkAction<z.output<typeof renewChoice>> = {
  read: (typed) => accepted(renewChoice.parse(typed)),
  async preview(actor, part, { days }) {
    const { leftOut, ...chosen } = choose(part, isRenewable)
    if (chosen.allocationIds.length === 0) return noneOf(part, 'not_renewable')
    const quote = await quoteRenewal(actor, { ...chosen, periodDays: days })
    if (!quote.ok) {
      const { periods } = quote.refusal.facts as { periods?: number[] }
      return refusedPreview(part, quote.refusal, periods)
    }
    const { price, periods } = quote.value
    return {
      lines: lines({ kind: 'renewed', count: chosen.allocationIds.length }, { kind: 'left_out', count: leftOut }),
      paysMicros: price.totalMicros,
      givesMicros: 0n,
      refusal: null,
      shown: `${price.periodDays}-${price.totalMicros}`,
      periods: periods.map((period) => period.days),
    }
  },
  async act(actor, part, _, { shown, requestKey }) {
    const { leftOut, ...chosen } = choose(part, isRenewable)
    const said = /^(\d{1,4})-(\d{1,18})$/.exec(shown)
    if (!said) return refused('preview_outdated')
    const totalMicros = BigInt(said[2]!)
    const renewed = await renewOrder(actor, { ...chosen, periodDays: Number(said[1]), totalMicros, requestKey })
    if (!renewed.ok) return renewed
    const kind = renewed.value.state === 'held' ? 'held' : 'renewed'
    const done = lines({ kind, count: chosen.allocationIds.length }, { kind: 'left_out', count: leftOut })
    return accepted({ lines: done, paysMicros: totalMicros, givesMicros: 0n })
  },
}

const replaceChoice = z.object({ reason: z.enum(REPLACE_REASONS).catch('dead') })

const replace: BulkAction<z.output<typeof replaceChoice>> = {
  read: (typed) => accepted(replaceChoice.parse(typed)),
  async preview(actor, part) {
    const { leftOut, ...chosen } = choose(part, (proxy) => proxy.standing === 'live')
    if (chosen.allocationIds.length === 0) return refusedPreview(part, { code: 'nothing_to_replace', facts: {} })
    const preview = await previewReplacement(actor, chosen)
    if (!preview.ok) return refusedPreview(part, preview.refusal)
    const { proxies } = preview.value
    const all = lines(
      ...(['replaced', 'requested', 'waiting', 'credited', 'refused'] as const).map((kind) => ({
        kind,
        count: proxies.filter((proxy) => proxy.outcome === kind).length,
      })),
      { kind: 'left_out', count: leftOut },
    )
    const numberOf = (kind: BulkLine['kind']) => all.find((line) => line.kind === kind)?.count ?? 0
    const [replaced, requested, credited] = [numberOf('replaced'), numberOf('requested'), numberOf('credited')]
    const isAny = replaced + requested + credited > 0
    const code = numberOf('waiting') > 0 ? 'proxy_being_replaced' : 'nothing_to_replace'
    return {
      lines: all,
      paysMicros: 0n,
      // What may come instead of an exchange that was only asked for is not given now.
      givesMicros: proxies.reduce((sum, each) => (each.outcome === 'credited' ? sum + each.moneyMicros : sum), 0n),
      refusal: isAny ? null : { code, facts: {} },
      shown: isAny ? `${replaced}-${requested}-${credited}` : '',
      periods: [],
    }
  },
  async act(actor, part, choice, { shown, requestKey }) {
    // Stock may have gone since, also to the order before in the same selection: then the rest is shown anew.
    const now = await replace.preview(actor, part, choice)
    if (now.shown !== shown) return refused('preview_outdated')
    const { leftOut, ...chosen } = choose(part, (proxy) => proxy.standing === 'live')
    const done = await replaceProxies(actor, { ...chosen, reason: choice.reason, requestKey })
    if (!done.ok) return done
    const { replaced, requested, waiting, credited, refused: kept } = done.value
    return accepted({
      lines: lines(
        { kind: 'replaced', count: replaced },
        { kind: 'requested', count: requested },
        { kind: 'waiting', count: waiting },
        { kind: 'credited', count: credited },
        { kind: 'refused', count: kept },
        { kind: 'left_out', count: leftOut },
      ),
      paysMicros: 0n,
      givesMicros: credited > 0 ? await sumNotReplaced(actor, chosen) : 0n,
    })
  },
}

/** What was given for proxies instead of others, as it was booked. */
async function sumNotReplaced(
  actor: Actor,
  { orderId, allocationIds }: { orderId: string; allocationIds: string[] },
): Promise<bigint> {
  const credits = await listCredits({ orderId, userId: actor.id })
  return credits
    .filter((credit) => credit.cause === 'not_replaced' && allocationIds.includes(credit.allocationIds[0]!))
    .reduce((sum, credit) => sum + credit.amountMicros, 0n)
}

const giveBack: BulkAction<null> = {
  read: () => accepted(null),
  async preview(actor, part) {
    const { leftOut, ...chosen } = choose(part, canBeGivenBack)
    if (chosen.allocationIds.length === 0) return noneOf(part, 'nothing_to_refund')
    const preview = await previewRefund(actor, chosen)
    if (!preview.ok) return refusedPreview(part, preview.refusal)
    const { proxies, totalMicros } = preview.value
    const paid = proxies.filter((proxy) => proxy.moneyMicros > 0n).map((proxy) => proxy.allocationId)
    const isAny = paid.length > 0
    return {
      lines: lines(
        { kind: 'given_back', count: paid.length },
        { kind: 'refused', count: proxies.length - paid.length },
        { kind: 'left_out', count: leftOut },
      ),
      paysMicros: 0n,
      givesMicros: totalMicros,
      refusal: isAny ? null : { code: 'nothing_to_refund', facts: {} },
      shown: isAny ? `${paid.length}-${totalMicros}` : '',
      periods: [],
    }
  },
  async act(actor, part, _, { shown, requestKey }) {
    const said = /^(\d{1,5})-(\d{1,18})$/.exec(shown)
    const { leftOut, ...chosen } = choose(part, canBeGivenBack)
    const preview = await previewRefund(actor, chosen)
    if (!preview.ok) return preview
    const { proxies } = preview.value
    const paid = proxies.filter((proxy) => proxy.moneyMicros > 0n).map((proxy) => proxy.allocationId)
    if (!said || paid.length !== Number(said[1])) return refused('preview_outdated')
    const given = await refundProxies(actor, {
      orderId: part.orderId,
      allocationIds: paid,
      totalMicros: BigInt(said[2]!),
      requestKey,
    })
    if (!given.ok) return given
    return accepted({
      lines: lines(
        { kind: 'given_back', count: paid.length },
        { kind: 'refused', count: proxies.length - paid.length },
        { kind: 'left_out', count: leftOut },
      ),
      paysMicros: 0n,
      givesMicros: given.value.amountMicros,
    })
  },
}

const typedTags = z.string().catch('')

const retag: BulkAction<{ add: string[]; remove: string[] }> = {
  read(typed) {
    const add = parseTags(typedTags.parse(typed.add))
    if (!add.ok) return add
    const remove = parseTags(typedTags.parse(typed.remove))
    return remove.ok ? accepted({ add: add.value, remove: remove.value }) : remove
  },
  async preview(_, part, { add, remove }) {
    // Nothing typed yet: the form is shown, and nothing can be confirmed.
    const isAny = add.length + remove.length > 0
    return {
      ...NOTHING,
      lines: isAny ? lines({ kind: 'retagged', count: part.proxies.length }) : [],
      refusal: null,
      shown: isAny ? `${part.proxies.length}` : '',
      periods: [],
    }
  },
  async act(actor, part, choice) {
    const allocationIds = part.proxies.map((proxy) => proxy.id)
    const tagged = await retagProxies(actor, { allocationIds, ...choice })
    if (!tagged.ok) return tagged
    return accepted({ ...NOTHING, lines: lines({ kind: 'retagged', count: allocationIds.length }) })
  },
}

/** Of an action about how proxies let their customer in: what it would come to, and how it is done. */
async function previewChange(actor: Actor, part: SelectionPart, kind: AccessChange['kind']): Promise<BulkPreview> {
  const { leftOut, ...chosen } = choose(part, (proxy) => proxy.standing === 'live' && !proxy.isByTraffic)
  if (chosen.allocationIds.length === 0) return refusedPreview(part, { code: 'access_unchangeable', facts: {} })
  const preview = await previewAccess(actor, { ...chosen, kind })
  if (!preview.ok) return refusedPreview(part, preview.refusal)
  const { changeable, unchangeable } = preview.value
  const isAny = changeable.length > 0
  return {
    ...NOTHING,
    lines: lines(
      { kind: kind === 'rotate' ? 'rotated' : 'bound', count: changeable.length },
      { kind: 'left_out', count: leftOut + unchangeable },
    ),
    refusal: isAny ? null : { code: 'access_unchangeable', facts: {} },
    shown: isAny ? `${changeable.length}` : '',
    periods: [],
  }
}

async function actChange(
  actor: Actor,
  part: SelectionPart,
  change: AccessChange,
  confirmed: { shown: string; requestKey: string },
): Promise<Result<BulkOutcome, Refusal<BulkCode>>> {
  const { leftOut, ...chosen } = choose(part, (proxy) => proxy.standing === 'live' && !proxy.isByTraffic)
  const preview = await previewAccess(actor, { ...chosen, kind: change.kind })
  if (!preview.ok) return preview
  const { changeable, unchangeable } = preview.value
  if (String(changeable.length) !== confirmed.shown) return refused('preview_outdated')
  const { requestKey } = confirmed
  const done = await changeAccess(actor, { ...chosen, allocationIds: changeable, change, requestKey })
  if (!done.ok) return done
  return accepted({
    ...NOTHING,
    lines: lines(
      { kind: change.kind === 'rotate' ? 'rotated' : 'bound', count: done.value.changed },
      { kind: 'left_out', count: leftOut + unchangeable },
    ),
  })
}

const rotate: BulkAction<null> = {
  read: () => accepted(null),
  preview: (actor, part) => previewChange(actor, part, 'rotate'),
  act: (actor, part, _, confirmed) => actChange(actor, part, { kind: 'rotate' }, confirmed),
}

const bind: BulkAction<{ addresses: string[]; isChosen: boolean }> = {
  read(typed) {
    const addresses = parseAddresses(z.string().max(500).catch('').parse(typed.addresses))
    // An empty list is a choice, too, once the form was sent: back to login and password.
    return addresses.ok ? accepted({ addresses: addresses.value, isChosen: typed.addresses !== undefined }) : addresses
  },
  async preview(actor, part, { isChosen }) {
    const preview = await previewChange(actor, part, 'bind')
    return isChosen ? preview : { ...preview, shown: '' }
  },
  act: (actor, part, { addresses }, confirmed) => actChange(actor, part, { kind: 'bind', addresses }, confirmed),
}

/**
 * Everything that can be done with a selection, in the order of its buttons. A new action is a row here, its words in messages (`proxies.do_<name>` and what
 * stands beside it) and, if it needs a choice, its fields in components/holdings/bulk-choice.tsx.
 */
export const BULK_ACTIONS = { renew, replace, rotate, bind, 'give-back': giveBack, retag } as const
export type BulkName = keyof typeof BULK_ACTIONS
export const BULK_NAMES = Object.keys(BULK_ACTIONS) as BulkName[]

export function isBulkName(name: unknown): name is BulkName {
  return typeof name === 'string' && Object.hasOwn(BULK_ACTIONS, name)
}

/** The action of a name, its choice closed in: whoever calls it only hands the choice on. */
export function bulkAction(name: BulkName): BulkAction<unknown> {
  return BULK_ACTIONS[name] as BulkAction<unknown>
}
