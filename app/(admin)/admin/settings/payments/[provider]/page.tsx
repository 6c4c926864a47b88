import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { AccountStatus, LastTest, stateOfAccount } from '@/components/admin/account-words'
import { ProviderForm } from '@/components/admin/provider-form'
import { brandOf, testResultOf } from '@/components/admin/provider-words'
import { ActionForm } from '@/components/ui/action-form'
import { Card } from '@/components/ui/card'
import { CopyButton } from '@/components/ui/copy-button'
import { PageHeader } from '@/components/ui/page-header'
import { SubmitButton } from '@/components/ui/submit-button'
import { Code } from '@/components/ui/table'
import { RelativeTime } from '@/components/ui/time'
import { findProviderForAdmin } from '@/lib/payments'
import { requireAdmin } from '@/lib/web'
import { forgetProviderAction, saveProviderAction, testProviderAction } from './actions'

export async function generateMetadata({ params }: { params: Promise<{ provider: string }> }): Promise<Metadata> {
  return { title: await brandOf((await params).provider) }
}

/** One way to pay: whether it works, what to paste where, and everything that it has to be told. */
export default async function ProviderPage({ params }: { params: Promise<{ provider: string }> }) {
  await requireAdmin('payments.providers')
  const provider = await findProviderForAdmin((await params).provider)
  if (!provider) notFound()
  const [say, name] = await Promise.all([getTranslations('adminSettings'), brandOf(provider.name)])
  const callbackHelp = `callback_${provider.name}` as 'callback_stripe'
  return (
    <>
      <PageHeader
        back={
          <Link href="/admin/settings/payments" className="text-accent underline">
            {say('backToPayments')}
          </Link>
        }
        title={
          <span className="flex flex-wrap items-center gap-3">
            {name} <AccountStatus account={provider} words="adminSettings" />
          </span>
        }
        lead={say(`why_${stateOfAccount(provider)}`)}
      />
      <div className="grid items-start gap-6 lg:grid-cols-[minmax(0,3fr)_minmax(0,2fr)]">
        <Card title={say('formTitle')}>
          <ProviderForm provider={provider} action={saveProviderAction} />
        </Card>
        <div className="flex flex-col gap-6">
          <Card title={say('callbackTitle')}>
            <p className="text-sm font-medium">{say('callbackLabel')}</p>
            <p className="mt-1 flex flex-wrap items-center gap-2">
              <Code>{provider.callbackUrl}</Code>
              <CopyButton
                value={provider.callbackUrl}
                what={say('copyCallback')}
                texts={{ copy: say('copy'), copied: say('copied') }}
              />
            </p>
            {say.has(callbackHelp) && <p className="mt-2 text-sm text-muted">{say(callbackHelp)}</p>}
            <p className="mt-3 text-sm">
              {provider.heardAt
                ? say.rich('heardAt', { time: () => <RelativeTime at={provider.heardAt!} /> })
                : say('heardNever', { name })}
            </p>
          </Card>
          <Card title={say('testTitle')} lead={say('testHelp')}>
            <ActionForm action={testProviderAction} showsDone={false} className="flex flex-col gap-3">
              <input type="hidden" name="provider" value={provider.name} />
              <LastTest account={provider} result={testResultOf(provider)} name={name} words="adminSettings" />
              <SubmitButton variant="secondary" className="self-start">
                {say('test')}
              </SubmitButton>
            </ActionForm>
          </Card>
          {provider.fields.some(({ isStored }) => isStored) && (
            <Card title={say('forgetTitle')} lead={say('forgetHelp')}>
              <ActionForm action={forgetProviderAction}>
                <input type="hidden" name="provider" value={provider.name} />
                <SubmitButton variant="danger">{say('forget')}</SubmitButton>
              </ActionForm>
            </Card>
          )}
        </div>
      </div>
    </>
  )
}
