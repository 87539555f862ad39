import { cookies } from 'next/headers'

// A page of one visitor, whom it knows by a cookie.
export default async function Account() {
  const name = (await cookies()).get('name')
  return <h1>{`Hello, ${name ? name.value : 'stranger'}`}</h1>
}
