import type { Metadata } from 'next'
import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { notFound } from 'next/navigation'
import { ProviderForm } from '@/components/admin/provider-form'
import { brandOf, ProviderStatus, stateOfProvider, testResultOf } from '@/components/admin/provider-words'
import { ActionForm } from '@/components/ui/action-form'
import { Alert } from '@/components/ui/alert'
import { Card } from '@/components/ui/card'
import { CopyButton } from '@/components/ui/copy-button'
import { PageHeader } from '@/components/ui/page-header'
import { SubmitButton } from '@/components/ui/submit-button'
import { Code } from '@/components/ui/table'
import { RelativeTime } from '@/components/ui/time'
import { findProviderForAdmin, type ProviderView } from '@/lib/payments'
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
            {name} <ProviderStatus provider={provider} />
          </span>
        }
        lead={say(`why_${stateOfProvider(provider)}`)}
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
              <LastTest provider={provider} name={name} />
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

/** What the vendor said when it was last asked, in words. */
async function LastTest({ provider, name }: { provider: ProviderView; name: string }) {
  const say = await getTranslations('adminSettings')
  const result = testResultOf(provider)
  const { testedAt } = provider
  const address = provider.fields.find((field) => field.name === 'apiUrl')?.value ?? ''
  return (
    <div aria-live="polite">
      {result && testedAt ? (
        <Alert tone={result === 'ok' ? 'good' : 'bad'}>
          <p className="break-words">{say(`said_${result}`, { name, address })}</p>
          <p className="mt-1 text-muted">{say.rich('testedAt', { time: () => <RelativeTime at={testedAt} /> })}</p>
        </Alert>
      ) : (
        <p className="text-sm text-muted">{say('testNever')}</p>
      )}
    </div>
  )
}
