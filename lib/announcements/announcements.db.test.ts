import { expect, it } from 'vitest'
import { db, Prisma } from '@/lib/db'
import { newId } from '@/lib/kit'
import type { EmailProps } from '@/lib/notifications'
import { makePlan } from '@/test/factories/catalog'
import { insertCustomer } from '@/test/factories/customer'
import { buyDelivered, letHoursPass } from '@/test/factories/orders'
import {
  changeTimes,
  countTouched,
  deleteDraft,
  editTexts,
  findAnnouncement,
  findMaintenanceOf,
  findPublished,
  listChanges,
  listMaintenance,
  listPublished,
  publishAnnouncement,
  publishDue,
  saveAnnouncement,
  saveAnnouncementSchema,
  sweepAnnouncements,
  tellAnnouncement,
  withdrawAnnouncement,
} from './index'

const STAFF = { kind: 'staff' as const, id: newId('usr') }
const HOUR = 3_600_000
const inHours = (hours: number) => new Date(Date.now() + hours * HOUR)

type Draft = Parameters<typeof saveAnnouncement>[1]

async function draft(input: Partial<Draft> = {}): Promise<{ id: string; revision: number }> {
  const isMaintenance = input.kind === 'maintenance'
  const saved = await saveAnnouncement(STAFF, {
    announcementId: undefined,
    revision: undefined,
    kind: 'news',
    titleEn: 'Work in Amsterdam',
    titleRu: 'Работы в Амстердаме',
    textEn: 'First.\n\nSecond.',
    textRu: 'Первое.\n\nВторое.',
    beginsAt: isMaintenance ? inHours(5) : null,
    endsAt: isMaintenance ? inHours(7) : null,
    isWholeShop: false,
    suppliers: [],
    offerIds: [],
    productIds: [],
    countryCodes: [],
    ...input,
  })
  if (!saved.ok) throw new Error(saved.refusal.code)
  return { id: saved.value.announcementId, revision: saved.value.revision }
}

async function publish(input: Partial<Draft> = {}): Promise<{ id: string; revision: number }> {
  const { id, revision } = await draft(input)
  const published = await publishAnnouncement(STAFF, { announcementId: id, revision, publishAt: null })
  if (!published.ok) throw new Error(published.refusal.code)
  return { id, revision: published.value.revision }
}

async function announceMaintenance(input: Partial<Draft> = {}) {
  const made = await publish({ kind: 'maintenance', ...input })
  await tellAnnouncement({ announcementId: made.id })
  return made
}

const noticesOf = (userId: string, announcementId: string) =>
  db().notice.findMany({
    where: { userId, key: { contains: announcementId } },
    orderBy: { id: 'asc' },
    select: { key: true, template: true, type: true, props: true, isShown: true },
  })
const mailsOf = (userId: string, announcementId: string) =>
  db().outgoingEmail.count({ where: { userId, key: { contains: announcementId } } })

/** A plan of a country of its own, so that tests do not touch each other's orders. */
let countries = 0
async function place() {
  countries += 1
  const countryCode = `Q${String.fromCharCode(64 + countries)}`
  return { countryCode, plan: await makePlan({ countryCode, units: 8 }) }
}

it('tells news to everybody once, in the app only unless their switch says more; a repeat and newcomers get nothing', async () => {
  const [quiet, loud] = [await insertCustomer(), await insertCustomer()]
  await db().noticeSwitch.create({
    data: { userId: loud.id, type: 'news', channel: 'mail', isOn: true },
    select: { userId: true },
  })
  const { id } = await publish()
  expect(
    await db().outboxJob.count({ where: { name: 'announcements.tell', payload: { equals: { announcementId: id } } } }),
  ).toBe(1)
  const late = await insertCustomer()
  await tellAnnouncement({ announcementId: id }, 2)
  await tellAnnouncement({ announcementId: id }, 2)
  expect(await noticesOf(quiet.id, id)).toMatchObject([{ template: 'announcement_news', type: 'news', isShown: true }])
  expect(await noticesOf(loud.id, id)).toHaveLength(1)
  expect(await mailsOf(quiet.id, id)).toBe(0)
  expect(await mailsOf(loud.id, id)).toBe(1)
  expect(await noticesOf(late.id, id)).toEqual([])
  expect((await findAnnouncement(id))!.toldAt).not.toBeNull()
})

it('tells a change to everybody as notice and mail, whatever their switches say', async () => {
  const person = await insertCustomer()
  await db().noticeSwitch.createMany({
    data: ['app', 'mail'].map((channel) => ({ userId: person.id, type: 'service', channel, isOn: false })),
  })
  const { id } = await publish({ kind: 'change', beginsAt: inHours(100), textEn: 'x'.repeat(2000) })
  await tellAnnouncement({ announcementId: id })
  const [notice] = await noticesOf(person.id, id)
  expect(notice).toMatchObject({ template: 'announcement_change', isShown: true })
  const props = notice!.props as EmailProps['announcement_change']
  // Of a long text a hundred thousand mails carry the beginning only.
  expect(props).toMatchObject({ leadEn: 'x'.repeat(600), isCutEn: true, isCutRu: false, leadRu: 'Первое.\n\nВторое.' })
  expect(new Date(props.beginsAt!).getTime()).toBeGreaterThan(inHours(99).getTime())
  expect(await mailsOf(person.id, id)).toBe(1)
})

it('goes on where a killed run stopped, and tells each once when several workers run at once', async () => {
  const people = await Promise.all(Array.from({ length: 25 }, () => insertCustomer()))
  const { id } = await publish()
  const step = () => db().$queryRaw(Prisma.sql`SELECT tell_announcement(${id}, 5)`)
  await step()
  const { toldAfter } = (await findAnnouncement(id))!
  // Killed after its statement and before its commit: neither the notices nor the place where it stood remain.
  await db()
    .$transaction(async (tx) => {
      await tx.$queryRaw(Prisma.sql`SELECT tell_announcement(${id}, 5)`)
      throw new Error('killed')
    })
    .catch(() => undefined)
  expect((await findAnnouncement(id))!.toldAfter).toBe(toldAfter)
  expect(await db().notice.count({ where: { key: { startsWith: `announcement:${id}:` } } })).toBe(5)
  await Promise.all(Array.from({ length: 4 }, () => tellAnnouncement({ announcementId: id }, 5)))
  const told = await db().notice.groupBy({
    by: ['userId'],
    where: { key: { startsWith: `announcement:${id}:` } },
    _count: true,
  })
  expect(told.every((each) => each._count === 1)).toBe(true)
  expect(told.length).toBe(await db().user.count())
  expect(told.map((each) => each.userId)).toEqual(expect.arrayContaining(people.map((person) => person.id)))
})

it('stops telling when it is withdrawn in between, and leaves the list', async () => {
  const first = await insertCustomer()
  const { id, revision } = await publish()
  const slug = (await findAnnouncement(id))!.slug
  expect((await listPublished({ limit: 500 })).rows.map((row) => row.id)).toContain(id)
  expect(await withdrawAnnouncement(STAFF, { announcementId: id, revision })).toMatchObject({ ok: true })
  await tellAnnouncement({ announcementId: id })
  expect(await noticesOf(first.id, id)).toEqual([])
  expect((await listPublished({ limit: 500 })).rows.map((row) => row.id)).not.toContain(id)
  // Whoever follows an old link is told so.
  expect(await findPublished(slug)).toMatchObject({ id, state: 'withdrawn' })
})

it('tells a maintenance only to those whose live proxies it touches, with those of their orders', async () => {
  const here = await place()
  const there = await place()
  const touched = await buyDelivered({ plan: here.plan, quantity: 2, leftMicros: 5_000_000n })
  const second = await buyDelivered({ plan: here.plan, customer: touched.customer })
  const elsewhere = await buyDelivered({ plan: there.plan, customer: touched.customer })
  const other = await buyDelivered({ plan: there.plan })
  const ended = await buyDelivered({ plan: here.plan })
  await letHoursPass(ended.orderId, 30 * 24 + 200)
  const endsBefore = await buyDelivered({ plan: here.plan })
  await letHoursPass(endsBefore.orderId, 30 * 24 - 2)
  await db().allocation.updateMany({ where: { orderId: endsBefore.orderId }, data: { graceUntil: null } })

  const { id } = await announceMaintenance({ countryCodes: [here.countryCode] })
  await tellAnnouncement({ announcementId: id })
  const notices = await noticesOf(touched.customer.id, id)
  expect(notices).toHaveLength(1)
  expect(notices[0]).toMatchObject({ template: 'announcement_maintenance', type: 'service' })
  const props = notices[0]!.props as EmailProps['announcement_maintenance']
  expect(props.orderIds).toEqual([touched.orderId, second.orderId].toSorted())
  expect(props.orderIds).not.toContain(elsewhere.orderId)
  expect(await mailsOf(touched.customer.id, id)).toBe(1)
  for (const { customer } of [other, ended, endsBefore]) expect(await noticesOf(customer.id, id)).toEqual([])
  expect(await countTouched({ id, kind: 'maintenance' })).toEqual({ people: 1, orders: 2, proxies: 3 })
  // The one that ends before is touched after all when it renews itself.
  await db().order.update({ where: { id: endsBefore.orderId }, data: { autoRenew: true }, select: { id: true } })
  await sweepAnnouncements()
  expect(await noticesOf(endsBefore.customer.id, id)).toHaveLength(1)
})

it('narrows by each kind of place that is named, and by none when it is the whole shop', async () => {
  const a = await place()
  const bought = await buyDelivered({ plan: a.plan })
  const { productId } = await db().plan.findUniqueOrThrow({ where: { id: a.plan.planId }, select: { productId: true } })
  const count = async (touches: Partial<Draft>) => {
    const { id } = await draft({ kind: 'maintenance', ...touches })
    const rows = await db().$queryRaw<{ n: number }[]>(
      Prisma.sql`SELECT count(*)::int AS n FROM maintenance_touches(${id}) WHERE order_id = ${bought.orderId}`,
    )
    return rows[0]!.n
  }
  expect(await count({ suppliers: ['stock'] })).toBe(1)
  expect(await count({ suppliers: ['px6'] })).toBe(0)
  expect(await count({ offerIds: [a.plan.offerId] })).toBe(1)
  expect(await count({ productIds: [productId], countryCodes: [a.countryCode] })).toBe(1)
  expect(await count({ productIds: [productId], countryCodes: ['ZZ'] })).toBe(0)
  expect(await count({ isWholeShop: true })).toBe(1)
})

it('warns whoever buys between publishing and beginning, once for each order, and nobody after it began', async () => {
  const { countryCode, plan } = await place()
  const { id } = await announceMaintenance({ countryCodes: [countryCode] })
  const bought = await buyDelivered({ plan, leftMicros: 5_000_000n })
  await sweepAnnouncements()
  await sweepAnnouncements()
  expect(await noticesOf(bought.customer.id, id)).toHaveLength(1)
  const again = await buyDelivered({ plan, customer: bought.customer })
  await Promise.all([sweepAnnouncements(), sweepAnnouncements(), tellAnnouncement({ announcementId: id })])
  const notices = await noticesOf(bought.customer.id, id)
  expect(notices.map(({ props }) => (props as { orderIds: string[] }).orderIds)).toEqual([
    [bought.orderId],
    [again.orderId],
  ])
  await db().announcement.update({ where: { id }, data: { beginsAt: inHours(-1) }, select: { id: true } })
  const late = await buyDelivered({ plan })
  await sweepAnnouncements()
  expect(await noticesOf(late.customer.id, id)).toEqual([])
})

it('tells other times, and that it is called off, to the same people once; whoever was not told of the old ones hears only the new', async () => {
  const { countryCode, plan } = await place()
  const told = await buyDelivered({ plan })
  const { id, revision } = await announceMaintenance({ countryCodes: [countryCode] })
  const untold = await buyDelivered({ plan })
  const stranger = await insertCustomer()
  const [beginsAt, endsAt] = [inHours(20), inHours(22)]
  const changed = await changeTimes(STAFF, { announcementId: id, revision, beginsAt, endsAt })
  expect(changed).toMatchObject({ ok: true })
  expect(await changeTimes(STAFF, { announcementId: id, revision, beginsAt, endsAt })).toMatchObject({
    refusal: { code: 'announcement_changed' },
  })
  await Promise.all(Array.from({ length: 3 }, () => tellAnnouncement({ announcementId: id }, 1)))
  await tellAnnouncement({ announcementId: id })
  expect((await noticesOf(told.customer.id, id)).map((each) => each.template)).toEqual([
    'announcement_maintenance',
    'maintenance_changed',
  ])
  const props = (await noticesOf(told.customer.id, id))[1]!.props as EmailProps['maintenance_changed']
  expect(props).toMatchObject({ isCancelled: false, orderIds: [told.orderId] })
  expect(new Date(props.wasBeginsAt).getTime()).toBeLessThan(inHours(6).getTime())
  expect(Math.abs(new Date(props.beginsAt).getTime() - beginsAt.getTime())).toBeLessThan(1000)
  expect((await noticesOf(untold.customer.id, id)).map((each) => each.template)).toEqual(['announcement_maintenance'])

  const now = (await findAnnouncement(id))!
  expect(await withdrawAnnouncement(STAFF, { announcementId: id, revision: now.revision })).toMatchObject({ ok: true })
  await Promise.all(Array.from({ length: 3 }, () => tellAnnouncement({ announcementId: id }, 1)))
  await sweepAnnouncements()
  for (const { customer } of [told, untold]) {
    const last = (await noticesOf(customer.id, id)).at(-1)!
    expect(last).toMatchObject({ template: 'maintenance_changed', props: { isCancelled: true } })
  }
  expect(await noticesOf(told.customer.id, id)).toHaveLength(3)
  expect(await noticesOf(untold.customer.id, id)).toHaveLength(2)
  expect(await noticesOf(stranger.id, id)).toEqual([])
  expect((await listChanges(id)).map((each) => each.what)).toEqual(['withdrawn', 'times'])
  expect(await changeTimes(STAFF, { announcementId: id, revision: now.revision + 1, beginsAt, endsAt })).toMatchObject({
    refusal: { code: 'already_withdrawn' },
  })
})

it('tells nobody of times that were changed and changed back before anybody was told', async () => {
  const { countryCode, plan } = await place()
  const { customer } = await buyDelivered({ plan })
  const { id, revision } = await announceMaintenance({ countryCodes: [countryCode] })
  const { beginsAt, endsAt } = (await findAnnouncement(id))!
  const later = { beginsAt: inHours(20), endsAt: inHours(22) }
  await changeTimes(STAFF, { announcementId: id, revision, ...later })
  await changeTimes(STAFF, { announcementId: id, revision: revision + 1, beginsAt: beginsAt!, endsAt: endsAt! })
  await tellAnnouncement({ announcementId: id })
  expect((await noticesOf(customer.id, id)).map((each) => each.template)).toEqual(['announcement_maintenance'])
  await changeTimes(STAFF, { announcementId: id, revision: revision + 2, ...later })
  await tellAnnouncement({ announcementId: id })
  expect(await noticesOf(customer.id, id)).toHaveLength(2)
})

it('a planned maintenance is not edited to begin before it is published', async () => {
  const { id, revision } = await draft({ kind: 'maintenance', countryCodes: ['ZZ'] })
  const planned = await publishAnnouncement(STAFF, { announcementId: id, revision, publishAt: inHours(4) })
  const now = planned.ok ? planned.value.revision : 0
  const edit = (hours: number) =>
    draft({
      kind: 'maintenance',
      countryCodes: ['ZZ'],
      announcementId: id,
      revision: now,
      beginsAt: inHours(hours),
      endsAt: inHours(8),
    })
  await expect(edit(3)).rejects.toThrow('begins_before_published')
  const edited = await edit(6)
  expect(edited).toMatchObject({ id })
  await withdrawAnnouncement(STAFF, { announcementId: id, revision: edited.revision })
})

it('shows a person what touches their own proxies only: near or under way, by order and by proxy', async () => {
  const { countryCode, plan } = await place()
  const bought = await buyDelivered({ plan, quantity: 2 })
  const stranger = await insertCustomer()
  const { id, revision } = await announceMaintenance({
    countryCodes: [countryCode],
    beginsAt: inHours(30),
    endsAt: inHours(31),
  })
  const own = { userId: bought.customer.id }
  const ids = async (of: Parameters<typeof listMaintenance>[0]) => (await listMaintenance(of)).map((each) => each.id)
  expect(await ids({ ...own, withinHours: 24 })).toEqual([])
  expect(await ids({ ...own, withinHours: 24, now: inHours(7) })).toEqual([id])
  expect(await ids({ ...own, withinHours: 24, now: inHours(32) })).toEqual([])
  expect(await listMaintenance({ ...own, orderId: bought.orderId })).toMatchObject([{ id, proxies: 2 }])
  expect(await listMaintenance({ ...own, allocationId: bought.allocationIds[0] })).toMatchObject([{ id, proxies: 1 }])
  // Somebody else's order and proxy, asked for by name, show nothing.
  expect(await ids({ userId: stranger.id, orderId: bought.orderId })).toEqual([])
  expect(await ids({ userId: stranger.id, allocationId: bought.allocationIds[0] })).toEqual([])
  // Row by row: each of one's own with the soonest that touches it.
  const marks = async (userId: string, allocationIds: readonly string[]) =>
    [...(await findMaintenanceOf({ userId, allocationIds }))].map(([proxy, announced]) => [proxy, announced.id])
  const [first, second] = bought.allocationIds as [string, string]
  expect(await marks(own.userId, [first])).toEqual([[first, id]])
  const sooner = await announceMaintenance({ isWholeShop: true, beginsAt: inHours(1), endsAt: inHours(2) })
  expect(new Map((await marks(own.userId, [first, second])) as [string, string][])).toEqual(
    new Map([
      [first, sooner.id],
      [second, sooner.id],
    ]),
  )
  expect(await marks(stranger.id, [first, second])).toEqual([])
  expect(await marks(own.userId, [])).toEqual([])
  await withdrawAnnouncement(STAFF, { announcementId: sooner.id, revision: sooner.revision })
  expect(await marks(own.userId, [second])).toEqual([[second, id]])
  await withdrawAnnouncement(STAFF, { announcementId: id, revision })
  expect(await ids({ ...own, orderId: bought.orderId })).toEqual([])
  expect(await marks(own.userId, [first, second])).toEqual([])
})

it('publishes at its moment, once however many look; a plan can be taken back, and what is over is not announced', async () => {
  const { id, revision } = await draft()
  const planned = await publishAnnouncement(STAFF, { announcementId: id, revision, publishAt: inHours(2) })
  expect(planned).toMatchObject({ ok: true, value: { isScheduled: true } })
  expect(await publishDue(inHours(1))).toBe(0)
  expect(await findPublished((await findAnnouncement(id))!.slug)).toBeNull()
  const counts = await Promise.all(Array.from({ length: 4 }, () => publishDue(inHours(3))))
  expect(counts.reduce((sum, count) => sum + count, 0)).toBe(1)
  expect((await findAnnouncement(id))!.state).toBe('published')

  const taken = await draft()
  const again = await publishAnnouncement(STAFF, { announcementId: taken.id, revision: 1, publishAt: inHours(2) })
  expect(again.ok).toBe(true)
  expect(await withdrawAnnouncement(STAFF, { announcementId: taken.id, revision: 2 })).toMatchObject({
    value: { isDraft: true },
  })
  expect(await publishDue(inHours(3))).toBe(0)

  const over = await draft({ kind: 'maintenance', isWholeShop: true, beginsAt: inHours(3), endsAt: inHours(4) })
  const late = { announcementId: over.id, revision: 1 }
  expect(await publishAnnouncement(STAFF, { ...late, publishAt: inHours(3.5) })).toMatchObject({
    refusal: { code: 'published_too_late' },
  })
  expect(await publishAnnouncement(STAFF, { ...late, publishAt: inHours(-1) })).toMatchObject({
    refusal: { code: 'publish_in_past' },
  })
  expect(await publishAnnouncement(STAFF, { ...late, publishAt: null }, inHours(5))).toMatchObject({
    refusal: { code: 'maintenance_over' },
  })
  expect(await publishAnnouncement(STAFF, { ...late, publishAt: inHours(2) })).toMatchObject({ ok: true })
  expect(await publishDue(inHours(5))).toBe(0)
  expect((await findAnnouncement(over.id))!.state).toBe('draft')
})

it('keeps what a published text said until it was edited, and the database lets nobody rewrite that', async () => {
  const { id, revision } = await publish()
  const { titleEn, titleRu, textRu } = (await findAnnouncement(id))!
  const texts = { titleEn, titleRu, textRu, textEn: 'Third.' }
  expect(await editTexts(STAFF, { announcementId: id, revision, ...texts })).toMatchObject({
    value: { revision: revision + 1 },
  })
  expect(await editTexts(STAFF, { announcementId: id, revision, ...texts })).toMatchObject({
    refusal: { code: 'announcement_changed' },
  })
  // Saved again as it is: nothing to tell of.
  await editTexts(STAFF, { announcementId: id, revision: revision + 1, ...texts })
  expect(await listChanges(id)).toMatchObject([
    { what: 'texts', before: { textEn: 'First.\n\nSecond.' }, changedBy: STAFF.id },
  ])
  await expect(
    db().announcementChange.updateMany({ where: { announcementId: id }, data: { what: 'times' } }),
  ).rejects.toThrow()
  await expect(db().announcementChange.deleteMany({ where: { announcementId: id } })).rejects.toThrow()
  const stored = (await findAnnouncement(id))!
  expect(await saveAnnouncement(STAFF, { ...stored, announcementId: id, revision: stored.revision })).toMatchObject({
    refusal: { code: 'already_published' },
  })
  const audit = await db().auditEntry.findMany({
    where: { subjectId: id },
    orderBy: { id: 'asc' },
    select: { action: true },
  })
  expect(audit.map((entry) => entry.action)).toEqual([
    'announcements.created',
    'announcements.published',
    'announcements.texts_edited',
  ])
})

it('says beside the field what is missing or wrong in what staff typed', () => {
  const typedIn = {
    kind: 'maintenance',
    titleEn: 'A',
    titleRu: 'Б',
    textEn: 'x',
    textRu: 'y',
    timeZone: 'Europe/Amsterdam',
    beginsAt: '2027-01-15T09:30',
    endsAt: '2027-01-15T10:30',
    countries: 'nl, de',
  }
  const issues = (input: object) =>
    saveAnnouncementSchema
      .safeParse({ ...typedIn, ...input })
      .error?.issues.map((each) => [each.path.join('.'), each.message])
  expect(saveAnnouncementSchema.parse(typedIn)).toMatchObject({
    beginsAt: new Date('2027-01-15T08:30:00Z'),
    countryCodes: ['NL', 'DE'],
  })
  expect(issues({ countries: '' })).toEqual([['isWholeShop', 'touches_needed']])
  expect(issues({ endsAt: '2027-01-15T09:30' })).toEqual([['endsAt', 'ends_before_start']])
  expect(issues({ endsAt: '2028-01-15T09:30' })).toEqual([['endsAt', 'maintenance_too_long']])
  expect(issues({ beginsAt: '', endsAt: 'soon' })).toEqual([
    ['beginsAt', 'moment_form'],
    ['endsAt', 'moment_form'],
  ])
  expect(issues({ titleEn: ' ', textRu: '', titleRu: 'x'.repeat(121) })).toEqual([
    ['titleEn', 'required'],
    ['titleRu', 'text_too_long'],
    ['textRu', 'required'],
  ])
  // Everything that is wrong is said at once.
  expect(issues({ titleRu: '', beginsAt: '', endsAt: '', countries: '' })).toEqual([
    ['titleRu', 'required'],
    ['beginsAt', 'moment_form'],
    ['endsAt', 'moment_form'],
    ['isWholeShop', 'touches_needed'],
  ])
  expect(issues({ timeZone: 'Mars' })).toContainEqual(['timeZone', 'value_invalid'])
  expect(issues({ kind: 'none' })).toContainEqual(['kind', expect.any(String)])
  // News has no times and touches nothing, whatever a form sends along.
  expect(saveAnnouncementSchema.parse({ ...typedIn, kind: 'news', isWholeShop: 'on' })).toMatchObject({
    beginsAt: null,
    endsAt: null,
    isWholeShop: false,
    countryCodes: [],
  })
})

it('a draft is deleted once, at the revision that was shown; what anybody may have seen stays', async () => {
  const { id, revision } = await draft({ titleEn: 'Never said' })
  const remove = (announcementId: string, at: number) => deleteDraft(STAFF, { announcementId, revision: at })
  expect(await remove(id, revision + 1)).toMatchObject({ refusal: { code: 'announcement_changed' } })
  const both = await Promise.all([remove(id, revision), remove(id, revision)])
  expect(both.map((each) => each.ok).sort()).toEqual([false, true])
  expect(await remove(id, revision)).toMatchObject({ refusal: { code: 'not_found' } })
  expect(await findAnnouncement(id)).toBeNull()
  const audit = await db().auditEntry.findMany({ where: { subjectId: id, action: 'announcements.deleted' } })
  expect(audit).toMatchObject([{ actorKind: 'staff', actorId: STAFF.id, data: { titleEn: 'Never said' } }])

  const planned = await draft()
  const publishAt = inHours(1)
  await publishAnnouncement(STAFF, { announcementId: planned.id, revision: planned.revision, publishAt })
  const shown = (await findAnnouncement(planned.id))!
  expect(await remove(planned.id, shown.revision)).toMatchObject({ refusal: { code: 'not_found' } })
  const back = await withdrawAnnouncement(STAFF, { announcementId: planned.id, revision: shown.revision })
  expect(back.ok && (await remove(planned.id, back.value.revision)).ok).toBe(true)

  const open = await publish()
  expect(await remove(open.id, open.revision)).toMatchObject({ refusal: { code: 'already_published' } })
  const gone = await withdrawAnnouncement(STAFF, { announcementId: open.id, revision: open.revision })
  expect(gone.ok && (await remove(open.id, gone.value.revision))).toMatchObject({
    refusal: { code: 'already_published' },
  })
  expect(await findAnnouncement(open.id)).not.toBeNull()
})

it('a draft that is published while somebody deletes it: one of both happens', async () => {
  for (let round = 0; round < 6; round += 1) {
    const { id, revision } = await draft()
    const [deleted, published] = await Promise.all([
      deleteDraft(STAFF, { announcementId: id, revision }),
      publishAnnouncement(STAFF, { announcementId: id, revision, publishAt: null }),
    ])
    expect([deleted.ok, published.ok].filter(Boolean)).toHaveLength(1)
    expect((await findAnnouncement(id)) !== null).toBe(published.ok)
  }
})
