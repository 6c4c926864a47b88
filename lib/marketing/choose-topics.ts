import { type Actor, recordAudit } from '@/lib/audit'
import { db, inTransaction, type Tx } from '@/lib/db'
import { addressDigest, recordConsent, type Visit } from '@/lib/identity'
import { accepted, type Clock, invariant, type Refusal, type Result, refused, systemClock } from '@/lib/kit'
import { queueEmail } from '@/lib/notifications'
import { takeTurn, type TooManyTries } from '@/lib/throttle'
import { setMeasuring } from './choose-measuring'
import { confirmToken, confirmUrl, readConfirmToken, readPreferencesToken } from './links'
import { lockPerson, type Saying } from './lock-person'
import { marketingRules } from './rules'
import { findLinkedAt } from './linked-chat'
import { type Channel, CHANNELS, MARKETING_VERSION, signUpStatement, statementOf, type Topic, TOPICS } from './topics'

type Choice = { state: string; at: Date }

async function readChoices(tx: Tx, userId: string, channel: Channel): Promise<Map<string, Choice>> {
  const rows = await tx.marketingChoice.findMany({
    where: { userId, channel },
    select: { topic: true, state: true, updatedAt: true },
  })
  return new Map(rows.map(({ topic, state, updatedAt }) => [topic, { state, at: updatedAt }]))
}

/** Writes one consent and the choice that rests on it, in the caller's transaction. */
async function write(
  tx: Tx,
  userId: string,
  topic: Topic,
  said: Saying & { channel: Channel; state: 'on' | 'pending' | 'off'; text: string; now: Date },
): Promise<void> {
  const { channel, state, text, now } = said
  const consentId = await recordConsent(tx, {
    userId,
    kind: 'marketing',
    topic,
    channel,
    isGranted: state !== 'off',
    isPending: state === 'pending',
    version: MARKETING_VERSION,
    text,
    locale: said.locale,
    source: said.source,
    addressDigest: said.visit ? addressDigest(said.visit) : null,
    cause: said.cause ?? null,
    now,
  })
  const data = { state, consentId, updatedAt: now }
  await tx.marketingChoice.upsert({
    where: { userId_topic_channel: { userId, topic, channel } },
    create: { userId, topic, channel, ...data },
    update: data,
    select: { state: true },
  })
}

/**
 * Writes down in the caller's transaction, under the lock of the person, which topics they want from now on. What stays as it was adds nothing, so that its proof
 * keeps its time. With double opt-in a new yes waits, and the mail that asks for the click is promised; asking again promises another mail, and the older link is void.
 * `isNoOnly`: a yes is passed over. Returns whether something waits for the mail.
 */
async function setTopics(
  tx: Tx,
  person: { userId: string; email: string; username: string; locale: string },
  wanted: readonly Topic[],
  said: Saying & { now: Date; isNoOnly?: boolean; textOf: (topic: Topic) => string },
): Promise<{ isWaiting: boolean }> {
  const { userId } = person
  const choices = await readChoices(tx, userId, 'mail')
  const { doubleOptIn } = await marketingRules.readFresh(tx)
  const asked: Topic[] = []
  for (const topic of TOPICS) {
    const state = choices.get(topic)?.state ?? 'off'
    const isWanted = wanted.includes(topic)
    if (isWanted && (state === 'on' || said.isNoOnly)) continue
    if (!isWanted && state === 'off') continue
    if (isWanted && doubleOptIn) asked.push(topic)
    await write(tx, userId, topic, {
      ...said,
      channel: 'mail',
      state: !isWanted ? 'off' : doubleOptIn ? 'pending' : 'on',
      text: said.textOf(topic),
    })
  }
  if (asked.length > 0)
    await queueEmail(tx, {
      key: `marketing_confirm:${userId}:${said.now.getTime()}`,
      userId,
      to: person.email,
      locale: person.locale,
      template: 'marketing_confirm',
      props: { username: person.username, url: confirmUrl(confirmToken(userId, said.now)), topics: asked },
    })
  return { isWaiting: asked.length > 0 }
}

/**
 * A person's own choice: exactly these topics by mail from now on, with the words they saw as proof. Refuses `too_many_tries` when a confirming mail would be the
 * sixth within an hour, and `not_found` for nobody. A no is never counted and never refused: what was withdrawn together with a yes too many is withdrawn.
 */
export async function chooseTopics(
  userId: string,
  input: { topics: readonly Topic[] } & Saying,
  clock: Clock = systemClock,
): Promise<Result<{ isWaiting: boolean }, Refusal<'not_found'> | TooManyTries>> {
  const { topics, ...saying } = input
  const turn = (await wouldAsk(userId, topics)) ? await takeTurn('marketing_confirmation', userId) : null
  const chosen = await inTransaction<{ isWaiting: boolean }, Refusal<'not_found'>>(async (tx) => {
    const person = await lockPerson(tx, userId)
    if (!person) return refused('not_found')
    return accepted(
      await setTopics(tx, { ...person, userId }, topics, {
        ...saying,
        now: clock(),
        isNoOnly: turn !== null && !turn.ok,
        textOf: (topic) => statementOf(topic, saying.locale),
      }),
    )
  })
  return turn !== null && !turn.ok && chosen.ok ? turn : chosen
}

/** Whether this choice would send a confirming mail: only a yes that does not count yet does. */
async function wouldAsk(userId: string, topics: readonly Topic[]): Promise<boolean> {
  if (topics.length === 0 || !(await marketingRules.readFresh()).doubleOptIn) return false
  const choices = await readChoices(db(), userId, 'mail')
  return topics.some((topic) => choices.get(topic)?.state !== 'on')
}

/**
 * A person's own choice: exactly these topics by Telegram from now on, into the chat that is linked now; a yes does not outlive its chat. It needs no confirming mail: the chat was linked
 * by its owner. Refuses `not_found` for nobody, and `chat_not_linked` for a yes without a chat.
 */
export async function chooseTelegramTopics(
  userId: string,
  input: { topics: readonly Topic[] } & Saying,
  clock: Clock = systemClock,
): Promise<Result<null, Refusal<'not_found' | 'chat_not_linked'>>> {
  const { topics, ...saying } = input
  return inTransaction<null, Refusal<'not_found' | 'chat_not_linked'>>(async (tx) => {
    if (!(await lockPerson(tx, userId))) return refused('not_found')
    const now = clock()
    const linkedAt = await findLinkedAt(userId, tx)
    if (topics.length > 0 && !linkedAt) return refused('chat_not_linked')
    const choices = await readChoices(tx, userId, 'telegram')
    for (const topic of TOPICS) {
      const choice = choices.get(topic)
      const isWanted = topics.includes(topic)
      const holds = choice?.state === 'on' && linkedAt !== null && linkedAt <= choice.at
      if (isWanted ? holds : (choice?.state ?? 'off') === 'off') continue
      const text = statementOf(topic, saying.locale, 'telegram')
      await write(tx, userId, topic, { ...saying, channel: 'telegram', state: isWanted ? 'on' : 'off', text, now })
    }
    return accepted(null)
  })
}

/** The same from the page that a message links to. Refuses `link_invalid` for a token that is not ours, and as `chooseTelegramTopics`. */
export async function chooseTelegramByLink(
  token: string,
  input: { topics: readonly Topic[]; locale: string; visit?: Visit },
  clock: Clock = systemClock,
): Promise<Result<null, Refusal<'link_invalid' | 'not_found' | 'chat_not_linked'>>> {
  const link = readPreferencesToken(token)
  if (!link) return refused('link_invalid')
  return chooseTelegramTopics(link.userId, { ...input, source: 'preferences', cause: link.campaignId }, clock)
}

/**
 * The box at sign-up, in the transaction that opens the account: ticked, it is a yes to every topic, in the sentence that names them all. Not ticked it is nothing:
 * silence is no answer, and everything is off.
 */
export async function recordSignUpChoice(
  tx: Tx,
  account: { userId: string; now: Date },
  input: { isTicked: boolean; locale: string; visit?: Visit },
): Promise<void> {
  if (!input.isTicked) return
  const person = await lockPerson(tx, account.userId)
  invariant(person, 'an account that is being opened is there')
  await setTopics(tx, { ...person, userId: account.userId }, TOPICS, {
    source: 'sign_up',
    locale: input.locale,
    ...(input.visit ? { visit: input.visit } : {}),
    now: account.now,
    textOf: () => signUpStatement(input.locale),
  })
}

/**
 * The click in a confirming mail: what was asked for up to that mail, and not withdrawn since, counts from now on. Refuses `link_invalid` for a link that is not ours, is
 * older than a week, or has nothing left to confirm.
 */
export async function confirmTopics(
  token: string,
  said: { locale: string; visit?: Visit },
  clock: Clock = systemClock,
): Promise<Result<{ topics: Topic[] }, Refusal<'link_invalid'>>> {
  const now = clock()
  const link = readConfirmToken(token, now)
  if (!link) return refused('link_invalid')
  return inTransaction<{ topics: Topic[] }, Refusal<'link_invalid'>>(async (tx) => {
    if (!(await lockPerson(tx, link.userId))) return refused('link_invalid')
    const choices = await readChoices(tx, link.userId, 'mail')
    const upTo = (topic: Topic, state: string) =>
      choices.get(topic)?.state === state && choices.get(topic)!.at.getTime() <= link.askedAt.getTime()
    const waiting = TOPICS.filter((topic) => upTo(topic, 'pending'))
    // Pressed twice: the second finds done what it asks for.
    if (waiting.length === 0 && (await wasConfirmed(tx, link))) return accepted({ topics: [] })
    if (waiting.length === 0) return refused('link_invalid')
    for (const topic of waiting)
      await write(tx, link.userId, topic, {
        ...said,
        channel: 'mail',
        source: 'confirmation',
        cause: `asked:${link.askedAt.toISOString()}`,
        state: 'on',
        text: statementOf(topic, said.locale),
        now,
      })
    return accepted({ topics: waiting })
  })
}

async function wasConfirmed(tx: Tx, link: { userId: string; askedAt: Date }): Promise<boolean> {
  const cause = `asked:${link.askedAt.toISOString()}`
  return (await tx.consent.count({ where: { userId: link.userId, source: 'confirmation', cause } })) > 0
}

/**
 * A preference page's form: topics, or with `stop` the end of everything, as one click is. Refuses `link_invalid` for a token that is not ours, and as `chooseTopics`; the
 * end is never counted.
 */
export async function choosePreferences(
  token: string,
  input: { topics: readonly Topic[]; stop?: 'all' | undefined; locale: string; visit?: Visit },
  clock: Clock = systemClock,
): Promise<Result<{ isWaiting: boolean }, Refusal<'link_invalid' | 'not_found'> | TooManyTries>> {
  const link = readPreferencesToken(token)
  if (!link) return refused('link_invalid')
  const { topics, stop, ...rest } = input
  const saying = { ...rest, source: 'preferences' as const, cause: link.campaignId }
  if (!stop) return chooseTopics(link.userId, { topics, ...saying }, clock)
  return inTransaction<{ isWaiting: boolean }, Refusal<'not_found'>>(async (tx) => {
    if (!(await lockPerson(tx, link.userId))) return refused('not_found')
    await withdrawAll(tx, link.userId, { ...saying, now: clock() })
    return accepted({ isWaiting: false })
  })
}

/**
 * The one click of a mail program: no marketing any more, of any topic, and nothing measured. The same for everybody who has the link, signed in or not; twice is once. Refuses `link_invalid`
 * for a token that is not ours, and `too_many_tries` for the same link thirty times an hour or for an address that makes links up.
 */
export async function unsubscribe(
  token: string,
  visit: Visit,
  clock: Clock = systemClock,
): Promise<Result<{ topics: Topic[] }, Refusal<'link_invalid'> | TooManyTries>> {
  const link = readPreferencesToken(token)
  // Mail providers press for many people from few addresses: a right link is counted for its person, and only a wrong one for the address.
  const turn = await takeTurn('unsubscribe', link ? link.userId : `forged ${visit.address ?? 'unknown'}`)
  if (!turn.ok) return turn
  if (!link) return refused('link_invalid')
  return inTransaction<{ topics: Topic[] }, Refusal<'link_invalid'>>(async (tx) => {
    const person = await lockPerson(tx, link.userId)
    if (!person) return refused('link_invalid')
    return accepted({
      topics: await withdrawAll(tx, link.userId, {
        source: 'one_click',
        locale: person.locale,
        visit,
        cause: link.campaignId,
        now: clock(),
      }),
    })
  })
}

/** Support writes down that somebody wants no marketing any more; audited. Staff can only say no for others. Refuses `not_found`. */
export async function withdrawFor(
  actor: Actor & { id: string },
  userId: string,
  clock: Clock = systemClock,
): Promise<Result<{ topics: Topic[] }, Refusal<'not_found'>>> {
  invariant(actor.kind === 'staff', 'only staff withdraw for somebody else')
  return inTransaction<{ topics: Topic[] }, Refusal<'not_found'>>(async (tx) => {
    const person = await lockPerson(tx, userId)
    if (!person) return refused('not_found')
    const topics = await withdrawAll(tx, userId, {
      source: 'support',
      locale: person.locale,
      cause: actor.id,
      now: clock(),
    })
    await recordAudit(tx, actor, {
      action: 'marketing.withdrawn',
      subjectKind: 'user',
      subjectId: userId,
      data: { topics },
    })
    return accepted({ topics })
  })
}

/** A no to every topic by every channel, and to being measured: what nobody gets need not be asked about. Returns the topics that were on. */
async function withdrawAll(tx: Tx, userId: string, said: Saying & { now: Date }): Promise<Topic[]> {
  const off = new Set<Topic>()
  for (const channel of CHANNELS) {
    const choices = await readChoices(tx, userId, channel)
    for (const topic of TOPICS) {
      if ((choices.get(topic)?.state ?? 'off') === 'off') continue
      off.add(topic)
      await write(tx, userId, topic, { ...said, channel, state: 'off', text: statementOf(topic, said.locale, channel) })
    }
  }
  await setMeasuring(tx, userId, false, said)
  return [...off]
}
