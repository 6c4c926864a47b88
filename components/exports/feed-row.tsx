import { getTranslations } from 'next-intl/server'
import type { ReactNode } from 'react'
import { ActionForm } from '@/components/ui/action-form'
import { buttonStyles } from '@/components/ui/button-styles'
import { TextField } from '@/components/ui/field'
import { SubmitButton } from '@/components/ui/submit-button'
import { RelativeTime } from '@/components/ui/time'
import type { FormAction } from '@/lib/web'
import { ShownOnce } from './shown-once'

export type FeedActions = { rename: FormAction; rotate: FormAction; revoke: FormAction }

/** The words of an address that is shown once. */
export async function shownOnceTexts() {
  const [say, common] = await Promise.all([getTranslations('exports'), getTranslations('common')])
  return {
    made: say('made'),
    address: say('address'),
    copyAddress: say('copyAddress'),
    copy: common('copy'),
    copied: common('copied'),
  }
}

/** What happens is told before it is done; opens without script. */
export function Disclosure({ title, children }: { title: string; children: ReactNode }) {
  return (
    <details className="min-w-0 open:basis-full">
      <summary className={buttonStyles({ variant: 'secondary', size: 'sm', className: 'cursor-pointer' })}>
        {title}
      </summary>
      <div className="mt-2 rounded-md border bg-sunken p-3">{children}</div>
    </details>
  )
}

/** A feed: what it gives out, when it was used, and what can be done with it. */
export async function FeedRow({
  feed,
  what,
  actions,
}: {
  feed: { id: string; name: string; lastUsedAt: Date | null }
  what?: string
  actions: FeedActions
}) {
  const [say, once] = await Promise.all([getTranslations('exports'), shownOnceTexts()])
  const { id, name, lastUsedAt } = feed
  return (
    <li className="flex flex-col gap-2 border-t py-4 first:border-t-0 first:pt-0">
      <p className="font-medium break-words">{name}</p>
      <p className="text-sm text-muted">
        {what && <span className="mr-2">{what}.</span>}
        {lastUsedAt ? say.rich('lastUsed', { time: () => <RelativeTime at={lastUsedAt} /> }) : say('neverUsed')}
      </p>
      <div className="flex flex-wrap gap-2">
        <Disclosure title={say('rename')}>
          <ActionForm action={actions.rename} className="flex flex-wrap items-end gap-3">
            <input type="hidden" name="feedId" value={id} />
            <TextField name="name" label={say('name')} defaultValue={name} maxLength={60} required />
            <SubmitButton variant="secondary">{say('rename')}</SubmitButton>
          </ActionForm>
        </Disclosure>
        <Disclosure title={say('rotate')}>
          <ActionForm action={actions.rotate} className="flex flex-col items-start gap-3">
            <input type="hidden" name="feedId" value={id} />
            <p className="text-sm">{say('rotateSure', { name })}</p>
            <SubmitButton variant="danger">{say('rotateNow', { name })}</SubmitButton>
            <ShownOnce texts={once} />
          </ActionForm>
        </Disclosure>
        <Disclosure title={say('revoke')}>
          <ActionForm action={actions.revoke} className="flex flex-col items-start gap-3">
            <input type="hidden" name="feedId" value={id} />
            <p className="text-sm">{say('revokeSure', { name })}</p>
            <SubmitButton variant="danger">{say('revokeNow', { name })}</SubmitButton>
          </ActionForm>
        </Disclosure>
      </div>
    </li>
  )
}
