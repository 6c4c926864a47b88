import type { ComponentProps } from 'react'
import Link from 'next/link'
import { type ButtonSize, buttonStyles, type ButtonVariant } from './button-styles'

type Looks = { variant?: ButtonVariant; size?: ButtonSize }

/** A button that does something on this page. For sending a form see SubmitButton. */
export function Button({ variant, size, className, type = 'button', ...props }: ComponentProps<'button'> & Looks) {
  return <button type={type} className={buttonStyles({ variant, size, className })} {...props} />
}

/** A link that looks like a button: it leads somewhere. */
export function ButtonLink({ variant, size, className, ...props }: ComponentProps<typeof Link> & Looks) {
  return <Link className={buttonStyles({ variant, size, className })} {...props} />
}
