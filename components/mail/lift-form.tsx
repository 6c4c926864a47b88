import { getTranslations } from 'next-intl/server'
import { ActionForm } from '@/components/ui/action-form'
import { TextField } from '@/components/ui/field'
import { SubmitButton } from '@/components/ui/submit-button'
import type { StoppedAddress } from '@/lib/notifications'
import type { FormAction } from '@/lib/web'

/** Lets an address get mail again, with the reason that stays on record; folded away until it is needed. */
export async function LiftForm({ stop, action }: { stop: StoppedAddress; action: FormAction }) {
  const say = await getTranslations('mail')
  return (
    <details className="text-left">
      <summary className="inline-flex min-h-8 cursor-pointer items-center text-accent underline">
        {say('lift')}
        <span className="sr-only">: {stop.address}</span>
      </summary>
      <ActionForm action={action} className="mt-2 flex max-w-sm flex-col gap-3">
        <input type="hidden" name="suppressionId" value={stop.id} />
        <TextField name="reason" label={say('liftReason')} help={say('liftReasonHelp')} maxLength={300} required />
        <SubmitButton size="sm" className="self-start">
          {say('lift')}
        </SubmitButton>
      </ActionForm>
    </details>
  )
}
