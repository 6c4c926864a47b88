'use client'

import { useId } from 'react'
import { useFormAnswer } from '@/components/ui/action-form'

/** The ways of paying, with their limits, as the browser's own radio buttons. Inside an ActionForm; the field is `provider`. */
export function ProviderChoice({
  label,
  providers,
}: {
  label: string
  providers: { value: string; name: string; help: string; limits: string }[]
}) {
  const { state } = useFormAnswer()
  const id = useId()
  const chosen = state.values.provider ?? providers[0]?.value
  return (
    <fieldset className="flex flex-col gap-2">
      <legend className="mb-1.5 text-sm font-medium">{label}</legend>
      {providers.map((provider) => (
        <label
          key={provider.value}
          className="flex cursor-pointer items-start gap-3 rounded-md border p-3 has-checked:border-accent has-checked:bg-accent-soft"
        >
          <input
            type="radio"
            name="provider"
            value={provider.value}
            defaultChecked={provider.value === chosen}
            aria-label={provider.name}
            aria-describedby={`${id}-${provider.value}`}
            className="mt-0.5 size-4 shrink-0 accent-accent"
          />
          <span className="text-sm">
            <span className="block font-medium">{provider.name}</span>
            <span id={`${id}-${provider.value}`} className="block text-muted">
              {provider.help} <span className="whitespace-nowrap">{provider.limits}</span>
            </span>
          </span>
        </label>
      ))}
    </fieldset>
  )
}
