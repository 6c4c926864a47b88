import { db, inTransaction, Prisma } from '@/lib/db'
import { env } from '@/lib/env'
import { accepted, type Refusal, type Result } from '@/lib/kit'
import { NOTICE_TYPES, type NoticeType, TEMPLATE_RULES } from '@/lib/notifications'
import type { z } from 'zod'
import { dayOfLastDigest, toDate } from './digest-day'
import { NOTICE_CHANNELS, type NoticeChannel, type saveNoticeSettingsSchema } from './schemas'
import { findTelegramBot } from './telegram-account'

/** The same default stands in the SQL function tell_customers: everything is on, but news come by no other way than in the app. */
export function isOnByDefault(type: NoticeType, channel: NoticeChannel): boolean {
  return type !== 'news' || channel === 'app'
}

/** What each type that the shop speaks of today may be switched. `all`: nothing of it, by mail and in the app; `some`: parts come whatever the switch says. */
export type TypeInUse = { type: NoticeType; required: 'all' | 'some' | 'none' }

/** The types that some template has, in the order of the screen. A type joins with its first template. */
export function listTypesInUse(): TypeInUse[] {
  return NOTICE_TYPES.flatMap((type): TypeInUse[] => {
    const rules = Object.values(TEMPLATE_RULES).filter((rule) => rule.type === type && !rule.isMailOnly)
    if (rules.length === 0) return []
    const required = rules.filter((rule) => rule.isMailRequired).length
    return [{ type, required: required === rules.length ? 'all' : required > 0 ? 'some' : 'none' }]
  })
}

export type NoticeSettingsView = {
  /** Whether a switch is on, by type and channel; what cannot be switched off is on. */
  isOn: (type: NoticeType, channel: NoticeChannel) => boolean
  digestHour: number | null
  lowBalanceMicros: bigint | null
  nextChargeDays: number
  isNextChargeLoud: boolean
  /** Null while the operator has switched no bot on. */
  telegram: { botUsername: string; linkedAt: Date | null } | null
}

const DEFAULTS = { digestHour: null, lowBalanceMicros: null, nextChargeDays: 3, isNextChargeLoud: false }
const SELECT = { digestHour: true, lowBalanceMicros: true, nextChargeDays: true, isNextChargeLoud: true } as const

/** How a person wants to be told, defaults filled in. */
export async function getNoticeSettings(input: { userId: string }): Promise<NoticeSettingsView> {
  const [switches, settings, linked, bot] = await Promise.all([
    db().noticeSwitch.findMany({ where: input, select: { type: true, channel: true, isOn: true } }),
    db().noticeSettings.findUnique({ where: input, select: SELECT }),
    db().linkedChannel.findUnique({
      where: { userId_channel: { ...input, channel: 'telegram' } },
      select: { linkedAt: true },
    }),
    findTelegramBot(),
  ])
  const fixed = new Set(listTypesInUse().flatMap(({ type, required }) => (required === 'all' ? [type] : [])))
  return {
    ...DEFAULTS,
    ...settings,
    isOn: (type, channel) =>
      (fixed.has(type) && channel !== 'telegram') ||
      (switches.find((row) => row.type === type && row.channel === channel)?.isOn ?? isOnByDefault(type, channel)),
    telegram: bot && { botUsername: bot.botUsername, linkedAt: linked?.linkedAt ?? null },
  }
}

/**
 * Keeps how a person wants to be told, whole. Rows stand only where a switch differs from its default. Switches of a channel that the shop does not offer now stay
 * as they were. A mark above today's balance tells only of the next fall below it. A digest that was begun today is not sent twice for a changed hour.
 */
export async function saveNoticeSettings(
  userId: string,
  input: z.output<typeof saveNoticeSettingsSchema>,
  now: Date = new Date(),
): Promise<Result<null, Refusal<never>>> {
  const bot = await findTelegramBot()
  const channels = NOTICE_CHANNELS.filter((channel) => channel !== 'telegram' || bot !== null)
  const wished = listTypesInUse().flatMap(({ type, required }) =>
    channels
      .filter((channel) => required !== 'all' || channel === 'telegram')
      .map((channel) => ({ type, channel, isOn: input.on.has(`${type}:${channel}`) })),
  )
  const { lowBalanceMicros, digestHour, nextChargeDays, isNextChargeLoud } = input
  return inTransaction<null, Refusal<never>>(async (tx) => {
    await tx.$executeRaw(
      Prisma.sql`INSERT INTO notice_settings (user_id) VALUES (${userId}) ON CONFLICT (user_id) DO NOTHING`,
    )
    // Two saves at once follow one another, and each is kept whole.
    await tx.$executeRaw(Prisma.sql`SELECT 1 FROM notice_settings WHERE user_id = ${userId} FOR UPDATE`)
    const before = await tx.noticeSettings.findUniqueOrThrow({
      where: { userId },
      select: { digestHour: true, digestDay: true, lowBalanceMicros: true, isBalanceLow: true },
    })
    const lastDay = digestHour === null ? null : toDate(dayOfLastDigest(digestHour, now))
    const digestDay =
      digestHour !== before.digestHour && lastDay !== null && (before.digestDay === null || before.digestDay < lastDay)
        ? lastDay
        : before.digestDay
    const isMarkNew = lowBalanceMicros !== before.lowBalanceMicros
    const [balance] = await tx.$queryRaw<{ micros: bigint }[]>(Prisma.sql`
      SELECT balance_micros AS micros FROM ledger_accounts
      WHERE owner = ${userId} AND kind = 'customer_balance' AND currency = ${env().SHOP_CURRENCY}`)
    const isBalanceLow = isMarkNew
      ? lowBalanceMicros !== null && (balance?.micros ?? 0n) < lowBalanceMicros
      : before.isBalanceLow
    await tx.noticeSettings.update({
      where: { userId },
      data: {
        digestHour,
        digestDay,
        lowBalanceMicros,
        isBalanceLow,
        nextChargeDays,
        isNextChargeLoud,
        updatedAt: now,
      },
      select: { userId: true },
    })
    for (const { type, channel, isOn } of wished) {
      const where = { userId, type, channel }
      if (isOn === isOnByDefault(type, channel)) await tx.noticeSwitch.deleteMany({ where })
      else
        await tx.noticeSwitch.upsert({
          where: { userId_type_channel: where },
          create: { ...where, isOn },
          update: { isOn },
          select: { userId: true },
        })
    }
    return accepted(null)
  })
}

/** How customers want to be told of what they will be charged, defaults filled in. */
export async function listNextChargeWishes(
  userIds: readonly string[],
): Promise<Map<string, { days: number; isLoud: boolean }>> {
  const rows = await db().noticeSettings.findMany({
    where: { userId: { in: [...userIds] } },
    select: { userId: true, nextChargeDays: true, isNextChargeLoud: true },
  })
  const own = new Map(rows.map((row) => [row.userId, { days: row.nextChargeDays, isLoud: row.isNextChargeLoud }]))
  return new Map(
    userIds.map((userId) => [
      userId,
      own.get(userId) ?? { days: DEFAULTS.nextChargeDays, isLoud: DEFAULTS.isNextChargeLoud },
    ]),
  )
}
