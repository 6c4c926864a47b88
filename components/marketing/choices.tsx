import { getFormatter, getTranslations } from 'next-intl/server'
import { ActionForm } from '@/components/ui/action-form'
import { CheckboxField } from '@/components/ui/field'
import { Status } from '@/components/ui/status'
import { SubmitButton } from '@/components/ui/submit-button'
import type { Channel, ChoiceProof, ChoiceView, MeasuringView } from '@/lib/marketing'
import type { FormAction } from '@/lib/web'

/** A box for each topic by a channel, with the sentence that is agreed to. Inside an ActionForm; what is ticked is what holds, or waits for its click. */
export async function TopicBoxes({ choices, channel = 'mail' }: { choices: ChoiceView[]; channel?: Channel }) {
  const say = await getTranslations('marketing')
  const isMail = channel === 'mail'
  return (
    // Drawn anew when what holds has changed: a box keeps what its reader did to it otherwise.
    <fieldset key={choices.map(({ state }) => state).join()} className="flex flex-col gap-3">
      <legend className="mb-1 text-sm font-medium">{say(isMail ? 'legend' : 'telegram.legend')}</legend>
      <p className="text-sm text-muted">{say(isMail ? 'channelHelp' : 'telegram.help')}</p>
      {choices.map(({ topic, state }) => (
        <div key={topic} className="flex flex-col gap-1">
          <div className="flex items-start gap-3">
            <input
              type="checkbox"
              id={`${channel}-${topic}`}
              name="topics"
              value={topic}
              defaultChecked={state !== 'off'}
              className="mt-0.5 size-5 shrink-0 accent-accent"
            />
            <label htmlFor={`${channel}-${topic}`} className="text-sm font-medium">
              {say(`topics.${topic}.name`)}
              <span className="block font-normal text-muted">
                {say(`topics.${topic}.${isMail ? 'statement' : 'telegramStatement'}`)}
              </span>
            </label>
          </div>
          {state === 'pending' && <p className="pl-8 text-sm text-warning">{say('pending')}</p>}
        </div>
      ))}
    </fieldset>
  )
}

/** What comes by Telegram: a form of its own, as each channel's yes is. */
export async function TelegramForm({
  action,
  choices,
  token,
}: {
  action: FormAction
  choices: ChoiceView[]
  /** Of the page that a message links to. */
  token?: string
}) {
  const say = await getTranslations('marketing')
  return (
    <ActionForm action={action} className="flex flex-col gap-4">
      {token !== undefined && <input type="hidden" name="token" value={token} />}
      <TopicBoxes choices={choices} channel="telegram" />
      <SubmitButton variant="secondary" className="self-start">
        {say('telegram.save')}
      </SubmitButton>
    </ActionForm>
  )
}

/** The one box by which somebody allows to be measured. A form of its own: a no to this must not wait for what else is chosen. */
export async function MeasuringForm({
  action,
  measuring: { isAllowed },
  token,
}: {
  action: FormAction
  measuring: MeasuringView
  /** Of the page that a mail links to. */
  token?: string
}) {
  const say = await getTranslations('marketing')
  return (
    <ActionForm action={action} className="flex flex-col gap-4">
      {token !== undefined && <input type="hidden" name="token" value={token} />}
      <CheckboxField
        key={String(isAllowed)}
        name="isAllowed"
        label={say('measuring.statement')}
        defaultChecked={isAllowed}
      />
      <SubmitButton variant="secondary" className="self-start">
        {say('measuring.save')}
      </SubmitButton>
    </ActionForm>
  )
}

const SOURCES = ['sign_up', 'settings', 'preferences', 'confirmation', 'one_click', 'support'] as const

/** When somebody said what, where, and the very words; nothing for what was never asked. */
export async function ChoiceProofs({
  choices,
  telegram,
  measuring,
  showsState = false,
}: {
  choices: ChoiceView[]
  telegram: ChoiceView[]
  measuring: MeasuringView
  showsState?: boolean
}) {
  const say = await getTranslations('marketing')
  return (
    <ul className="flex flex-col gap-4 text-sm">
      {choices.map(({ topic, state, proof }) => (
        <Proof key={topic} name={say(`topics.${topic}.name`)} state={showsState ? state : null} proof={proof} />
      ))}
      {telegram.map(({ topic, state, proof }) => (
        <Proof
          key={topic}
          name={say('telegram.proof', { topic: say(`topics.${topic}.name`) })}
          state={showsState ? state : null}
          proof={proof}
        />
      ))}
      <Proof
        name={say('measuring.name')}
        state={showsState ? (measuring.isAllowed ? 'on' : 'off') : null}
        proof={measuring.proof}
      />
    </ul>
  )
}

async function Proof({
  name,
  state,
  proof,
}: {
  name: string
  state: ChoiceView['state'] | null
  proof: ChoiceProof | null
}) {
  const [say, format] = await Promise.all([getTranslations('marketing'), getFormatter()])
  if (!proof) return null
  const source = SOURCES.find((each) => each === proof.source) ?? 'unknown'
  const facts = {
    date: format.dateTime(proof.at, { dateStyle: 'long', timeStyle: 'short' }),
    source: say(`sources.${source}`),
    version: proof.version,
  }
  return (
    <li>
      <p className="flex flex-wrap items-center gap-2">
        <strong>{name}</strong>
        {state && (
          <Status tone={state === 'on' ? 'good' : state === 'pending' ? 'warning' : 'neutral'}>
            {say(`states.${state}`)}
          </Status>
        )}
      </p>
      <p className="text-muted">{say(proof.isPending ? 'asked' : proof.isGranted ? 'granted' : 'refused', facts)}</p>
      <blockquote lang={proof.locale} className="mt-1 border-l-2 pl-3">
        {proof.text}
      </blockquote>
    </li>
  )
}
