import { randomBytes } from 'node:crypto'
import type { z } from 'zod'
import { type Actor, recordAudit } from '@/lib/audit'
import { db, inTransaction, Prisma, type Tx } from '@/lib/db'
import { env, isLocal } from '@/lib/env'
import { accepted, OperationalError, type Refusal, refused, type Result } from '@/lib/kit'
import { openSecret, sealSecret, type SecretPlace } from '@/lib/settings'
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
const placeOf = (name: 'token' | 'webhookSecret'): SecretPlace => ({ group: 'channels', owner: CHANNEL, name })

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
type Settings = { apiUrl?: string; botUsername?: string }
type Sealed = { token?: string; webhookSecret?: string }

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
  const settings = (row?.settings ?? {}) as Settings
  const sealed = (row?.sealed ?? {}) as Sealed
  return {
    isEnabled: row?.isEnabled ?? false,
    apiUrl: settings.apiUrl ?? TELEGRAM_API_URL,
    botUsername: settings.botUsername ?? null,
    hasToken: sealed.token !== undefined,
    tokenHint: ((row?.hints ?? {}) as { token?: string }).token ?? null,
    isTokenUnreadable: sealed.token !== undefined && tryOpen('token', sealed.token) === null,
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
  const sealed = row.sealed as Sealed
  if (!sealed.token || !sealed.webhookSecret) return null
  return {
    apiUrl: (row.settings as Settings).apiUrl ?? TELEGRAM_API_URL,
    token: openSecret(placeOf('token'), sealed.token),
    webhookSecret: openSecret(placeOf('webhookSecret'), sealed.webhookSecret),
  }
}

export type SaveTelegramRefusal = Refusal<
  | 'secret_missing'
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
  const before = (row?.settings ?? {}) as Settings
  const sealedBefore = (row?.sealed ?? {}) as Sealed
  const tokenBefore = sealedBefore.token ? tryOpen('token', sealedBefore.token) : ''
  const token = input.secretToken || tokenBefore
  const apiUrlBefore = before.apiUrl ?? TELEGRAM_API_URL
  // Otherwise whoever may change the address could have the stored token sent to a server of their own.
  if (sealedBefore.token && !input.secretToken && new URL(apiUrlBefore).origin !== new URL(input.apiUrl).origin)
    return refused('secret_needed_again', { field: 'secretToken' })
  if (env().SLUICE_MODE === 'production' && (isLocal(input.apiUrl) || !input.apiUrl.startsWith('https://')))
    return refused('stand_in_in_production', { field: 'apiUrl' })
  let botUsername = before.botUsername
  const webhookSecret = randomBytes(32).toString('base64url')
  if (input.isEnabled) {
    if (token === null) return refused('secret_unreadable', { field: 'secretToken' })
    if (!token) return refused('secret_missing', { field: 'secretToken' })
    const settings = { apiUrl: input.apiUrl, token }
    const bot = await askWhoBotIs(settings)
    if (!bot.ok)
      return bot.why === 'refused'
        ? refused('telegram_token_refused', { field: 'secretToken' })
        : refused('telegram_unavailable')
    botUsername = bot.botUsername
    const why = await setTelegramWebhook(settings, { url: webhookUrl(), secret: webhookSecret })
    if (why) return refused(why === 'refused' ? 'telegram_webhook_refused' : 'telegram_unavailable')
  }
  const isTokenNew = token !== null && token !== '' && token !== tokenBefore
  const isBotNew = before.botUsername !== undefined && botUsername !== before.botUsername
  const changed = [
    ...(isTokenNew ? ['token'] : []),
    ...(input.apiUrl !== apiUrlBefore ? ['apiUrl'] : []),
    ...(input.isEnabled !== (row?.isEnabled ?? false) ? ['isEnabled'] : []),
  ]
  const result = await inTransaction<{ isEnabled: boolean }, SaveTelegramRefusal>(async (tx) => {
    await tx.$executeRaw(
      Prisma.sql`INSERT INTO channel_accounts (channel) VALUES (${CHANNEL}) ON CONFLICT (channel) DO NOTHING`,
    )
    await tx.$executeRaw(Prisma.sql`SELECT 1 FROM channel_accounts WHERE channel = ${CHANNEL} FOR UPDATE`)
    // Somebody saved while Telegram was asked: what it was told is theirs or ours, and the last to save again wins.
    const now = await readRow(tx)
    if (row && now && row.updatedAt.getTime() !== now.updatedAt.getTime()) return refused('bot_changed_meanwhile')
    const sealed: Sealed = {
      ...sealedBefore,
      ...(token && { token: sealSecret(placeOf('token'), token) }),
      ...(input.isEnabled && { webhookSecret: sealSecret(placeOf('webhookSecret'), webhookSecret) }),
    }
    await tx.channelAccount.update({
      where: { channel: CHANNEL },
      data: {
        isEnabled: input.isEnabled,
        settings: { apiUrl: input.apiUrl, ...(botUsername && { botUsername }) },
        sealed,
        hints: token ? { token: token.slice(-4) } : (row?.hints ?? {}),
        ...(input.isEnabled
          ? { testedAt: new Date(), testResult: 'ok' }
          : isTokenNew || input.apiUrl !== apiUrlBefore
            ? { testedAt: null, testResult: null }
            : {}),
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
  if (result.ok && !input.isEnabled && row?.isEnabled && tokenBefore)
    await removeTelegramWebhook({ apiUrl: apiUrlBefore, token: tokenBefore })
  return result
}

/** Asks Telegram who the stored token belongs to, by a call that changes nothing, and keeps what it said. What was saved meanwhile is not stamped with it. */
export async function testTelegram(
  actor: Actor,
): Promise<Result<{ result: TelegramTestResult }, Refusal<'secret_missing' | 'secret_unreadable'>>> {
  const row = await readRow()
  const sealed = (row?.sealed ?? {}) as Sealed
  if (!row || !sealed.token) return refused('secret_missing')
  const token = tryOpen('token', sealed.token)
  if (token === null) return refused('secret_unreadable')
  const bot = await askWhoBotIs({ apiUrl: (row.settings as Settings).apiUrl ?? TELEGRAM_API_URL, token })
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

function tryOpen(name: 'token' | 'webhookSecret', sealed: string): string | null {
  try {
    return openSecret(placeOf(name), sealed)
  } catch (error) {
    if (error instanceof OperationalError) return null
    throw error
  }
}
