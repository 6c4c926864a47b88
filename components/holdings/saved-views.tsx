import { getTranslations } from 'next-intl/server'
import Link from 'next/link'
import { ActionForm } from '@/components/ui/action-form'
import { buttonStyles } from '@/components/ui/button-styles'
import { TextField } from '@/components/ui/field'
import { SubmitButton } from '@/components/ui/submit-button'
import type { FormAction } from '@/lib/web'

/** Filters under names, and the way to keep the present one. */
export async function SavedViews({
  views,
  query,
  actions,
}: {
  views: { id: string; name: string; query: string; isHere: boolean }[]
  query: string
  actions: { save: FormAction; drop: FormAction }
}) {
  const say = await getTranslations('proxies')
  return (
    <div className="mb-4 flex flex-wrap items-start gap-2">
      {views.length > 0 && (
        <nav aria-label={say('views')} className="flex min-w-0 flex-wrap gap-2">
          {views.map((view) => (
            <Link
              key={view.id}
              href={`/account/proxies?${view.query}`}
              aria-current={view.isHere ? 'page' : undefined}
              className={buttonStyles({
                variant: 'secondary',
                size: 'sm',
                className: 'max-w-full break-words aria-[current=page]:border-accent aria-[current=page]:text-accent',
              })}
            >
              {view.name}
            </Link>
          ))}
        </nav>
      )}
      {(query !== '' || views.length > 0) && (
        <details className="min-w-0">
          <summary className="flex min-h-8 cursor-pointer items-center rounded-md px-3 font-medium text-muted hover:bg-sunken">
            {say('editViews')}
          </summary>
          <div className="mt-2 flex flex-col gap-4 rounded-md border bg-surface p-4">
            {query !== '' && (
              <ActionForm action={actions.save} className="flex flex-wrap items-end gap-3">
                <input type="hidden" name="query" value={query} />
                <TextField name="name" label={say('viewName')} help={say('viewHelp')} maxLength={40} required />
                <SubmitButton variant="secondary">{say('saveView')}</SubmitButton>
              </ActionForm>
            )}
            {views.map((view) => (
              <ActionForm key={view.id} action={actions.drop} className="flex flex-wrap items-center gap-3">
                <input type="hidden" name="viewId" value={view.id} />
                <span className="min-w-0 break-words">{view.name}</span>
                <SubmitButton variant="danger" size="sm" aria-label={say('dropViewNamed', { name: view.name })}>
                  {say('dropView')}
                </SubmitButton>
              </ActionForm>
            ))}
          </div>
        </details>
      )}
    </div>
  )
}
