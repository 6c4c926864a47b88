import { randomBytes } from 'node:crypto'
import type { z } from 'zod'
import { type Actor, recordAudit } from '@/lib/audit'
import { db, inTransaction, Prisma, type Tx } from '@/lib/db'
import { env, isLocal } from '@/lib/env'
import { accepted, type Refusal, refused, type Result } from '@/lib/kit'
import {
  type AccountDefinition,
  type AccountField,
  type AccountValues,
  defineAccounts,
  namesOfChanges,
  NO_ACCOUNT,
  sealSecret,
} from '@/lib/settings'
import {
  askWhoBotIs,
  type BotCheck,
  removeTelegramWebhook,
  setTelegramWebhook,
  TELEGRAM_API_URL,
  type TelegramSettings,
} from './channels/telegram'
import type { saveTelegramSchema } from './schemas'

const CHANNEL = 'telegram'
const GROUP = 'channels'
const TOKEN: AccountField = {
  name: 'token',
  kind: 'text',
  isSecret: true,
  isRequired: true,
  initial: '',
  inputName: 'secretToken',
}
/** What staff fill in. */
const BOT: AccountDefinition = {
  name: CHANNEL,
  fields: [
    { name: 'apiUrl', kind: 'url', isSecret: false, isRequired: true, initial: TELEGRAM_API_URL, inputName: 'apiUrl' },
    TOKEN,
  ],
}
/** Beside it what vouches for Telegram's reports: ours, made with every switching on. */
const BOT_WITH_WEBHOOK = { ...BOT, fields: [...BOT.fields, { ...TOKEN, name: 'webhookSecret' }] }
const accounts = defineAccounts(GROUP, (_, { apiUrl = '' }: AccountValues) =>
  isLocal(apiUrl) || !apiUrl.startsWith('https://')
    ? ({ field: 'apiUrl', code: 'stand_in_in_production' } as const)
    : null,
)

const SELECT = {
  isEnabled: true,
  settings: true,
  sealed: true,
  hints: true,
  testedAt: true,
  testResult: true,
  updatedAt: true,
} as const
type Row = Prisma.ChannelAccountGetPayload<{ select: typeof SELECT }>
/** What is not a secret: the address, and what Telegram said the bot is called. */
type Settings = { apiUrl?: string; botUsername?: string }

const readRow = (tx: Tx = db()): Promise<Row | null> =>
  tx.channelAccount.findUnique({ where: { channel: CHANNEL }, select: SELECT })

/** What a connection test said, in a word. */
export type TelegramTestResult = 'ok' | Extract<BotCheck, { ok: false }>['why']

/** The bot as staff see it. Of the token only how it ends. */
export type TelegramView = {
  isEnabled: boolean
  apiUrl: string
  botUsername: string | null
  hasToken: boolean
  tokenHint: string | null
  /** It is stored, and the key in the environment does not open it. */
  isTokenUnreadable: boolean
  webhookUrl: string
  testedAt: Date | null
  testResult: TelegramTestResult | null
  linkedCount: number
}

export async function getTelegramForAdmin(): Promise<TelegramView> {
  const [row, linkedCount] = await Promise.all([readRow(), db().linkedChannel.count({ where: { channel: CHANNEL } })])
  const [address, token] = accounts.viewFields(BOT, row)
  return {
    isEnabled: row?.isEnabled ?? false,
    apiUrl: address!.value,
    botUsername: ((row?.settings ?? {}) as Settings).botUsername ?? null,
    hasToken: token!.isStored,
    tokenHint: token!.hint,
    isTokenUnreadable: token!.isUnreadable,
    webhookUrl: webhookUrl(),
    testedAt: row?.testedAt ?? null,
    testResult: (row?.testResult ?? null) as TelegramTestResult | null,
    linkedCount,
  }
}

export function webhookUrl(): string {
  return new URL('/api/webhooks/telegram', env().PUBLIC_URL).toString()
}

/** The bot that is switched on: its name and where its chats are opened. Null while there is none. */
export async function findTelegramBot(): Promise<{ botUsername: string; chatUrl: string } | null> {
  const row = await readRow()
  const { botUsername, apiUrl = TELEGRAM_API_URL } = (row?.settings ?? {}) as Settings
  if (!row?.isEnabled || !botUsername) return null
  // A stand-in shows its chats itself; a Bot API server of one's own leads to the same Telegram.
  const base = env().SLUICE_MODE !== 'production' && isLocal(apiUrl) ? apiUrl : 'https://t.me'
  return { botUsername, chatUrl: `${base}/${botUsername}` }
}

/** What opens the bot, for sending and for checking what is sent to us. Null while it is switched off. Throws OperationalError when its secrets do not open. */
export async function openTelegram(): Promise<(TelegramSettings & { webhookSecret: string }) | null> {
  const row = await readRow()
  if (!row?.isEnabled) return null
  const { apiUrl, token, webhookSecret } = accounts.open(BOT_WITH_WEBHOOK, row)
  return token && webhookSecret ? { apiUrl: apiUrl!, token, webhookSecret } : null
}

export type SaveTelegramRefusal = Refusal<
  | 'secret_missing'
  | 'setting_missing'
  | 'secret_needed_again'
  | 'secret_unreadable'
  | 'stand_in_in_production'
  | 'telegram_token_refused'
  | 'telegram_unavailable'
  | 'telegram_webhook_refused'
  | 'bot_changed_meanwhile'
>

/**
 * Sets the bot up, and switches it on or off. An empty token keeps the stored one; another server's address asks for it again. Switching on asks Telegram who the
 * bot is and tells it where to report: only a bot that works is on. Both calls are made before anything is written. Another bot loses the chats of the one
 * before: it may not write to them. The audit holds the names of what changed. Throws OperationalError when there is no key to seal with.
 */
export async function saveTelegram(
  actor: Actor,
  input: z.output<typeof saveTelegramSchema>,
): Promise<Result<{ isEnabled: boolean }, SaveTelegramRefusal>> {
  const row = await readRow()
  const next = accounts.change(BOT, row ?? NO_ACCOUNT, { apiUrl: input.apiUrl, token: input.secretToken })
  if (!next.ok) return next
  const standIn = accounts.refuseInProduction(BOT, next.value.values)
  if (standIn) return standIn
  const before = (row?.settings ?? {}) as Settings
  let botUsername = before.botUsername
  const webhookSecret = randomBytes(32).toString('base64url')
  if (input.isEnabled) {
    const gap = accounts.refuseUse(BOT, next.value)
    if (gap) return gap
    const settings = { apiUrl: input.apiUrl, token: next.value.values.token! }
    const bot = await askWhoBotIs(settings)
    if (!bot.ok)
      return bot.why === 'refused'
        ? refused('telegram_token_refused', { field: 'secretToken' })
        : refused('telegram_unavailable')
    botUsername = bot.botUsername
    const why = await setTelegramWebhook(settings, { url: webhookUrl(), secret: webhookSecret })
    if (why) return refused(why === 'refused' ? 'telegram_webhook_refused' : 'telegram_unavailable')
  }
  const isBotNew = before.botUsername !== undefined && botUsername !== before.botUsername
  const changed = [
    ...next.value.changed,
    ...namesOfChanges(['isEnabled'] as const, { isEnabled: row?.isEnabled ?? false }, input),
  ]
  const result = await inTransaction<{ isEnabled: boolean }, SaveTelegramRefusal>(async (tx) => {
    await tx.$executeRaw(
      Prisma.sql`INSERT INTO channel_accounts (channel) VALUES (${CHANNEL}) ON CONFLICT (channel) DO NOTHING`,
    )
    await tx.$executeRaw(Prisma.sql`SELECT 1 FROM channel_accounts WHERE channel = ${CHANNEL} FOR UPDATE`)
    // Somebody saved while Telegram was asked: what it was told is theirs or ours, and the last to save again wins.
    const now = await readRow(tx)
    if (row && now && row.updatedAt.getTime() !== now.updatedAt.getTime()) return refused('bot_changed_meanwhile')
    const { settings, sealed, ...rest } = next.value.data
    const place = { group: GROUP, owner: CHANNEL, name: 'webhookSecret' }
    await tx.channelAccount.update({
      where: { channel: CHANNEL },
      data: {
        ...rest,
        isEnabled: input.isEnabled,
        settings: { ...settings, ...(botUsername && { botUsername }) },
        sealed: { ...sealed, ...(input.isEnabled && { webhookSecret: sealSecret(place, webhookSecret) }) },
        ...(input.isEnabled && { testedAt: new Date(), testResult: 'ok' }),
        updatedAt: new Date(),
      },
      select: { channel: true },
    })
    if (isBotNew) await tx.linkedChannel.deleteMany({ where: { channel: CHANNEL } })
    if (changed.length > 0)
      await recordAudit(tx, actor, {
        action: 'channels.saved',
        subjectKind: 'channel',
        subjectId: CHANNEL,
        data: { fields: changed, isEnabled: input.isEnabled },
      })
    return accepted({ isEnabled: input.isEnabled })
  })
  const old = result.ok && !input.isEnabled && row?.isEnabled ? accounts.tryOpen(BOT, row) : null
  if (old?.token) await removeTelegramWebhook({ apiUrl: old.apiUrl!, token: old.token })
  return result
}

/** Asks Telegram who the stored token belongs to, by a call that changes nothing, and keeps what it said. What was saved meanwhile is not stamped with it. */
export async function testTelegram(
  actor: Actor,
): Promise<Result<{ result: TelegramTestResult }, Refusal<'secret_missing' | 'secret_unreadable'>>> {
  const row = await readRow()
  const values = accounts.tryOpen(BOT, row ?? NO_ACCOUNT)
  if (!values) return refused('secret_unreadable')
  if (!row || !values.token) return refused('secret_missing')
  const bot = await askWhoBotIs({ apiUrl: values.apiUrl!, token: values.token })
  const result: TelegramTestResult = bot.ok ? 'ok' : bot.why
  return inTransaction(async (tx) => {
    await tx.channelAccount.updateMany({
      where: { channel: CHANNEL, updatedAt: row.updatedAt },
      data: { testedAt: new Date(), testResult: result },
    })
    await recordAudit(tx, actor, {
      action: 'channels.tested',
      subjectKind: 'channel',
      subjectId: CHANNEL,
      data: { result },
    })
    return accepted({ result })
  })
}
