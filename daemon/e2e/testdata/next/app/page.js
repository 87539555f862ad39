import Link from 'next/link'
import { read } from '../lib/source'

export const revalidate = 3600

export default async function Home() {
  const home = await read('home')
  return (
    <main>
      <h1>{home.title}</h1>
      <p>{home.text}</p>
      <Link id="news" href="/news/one">
        News
      </Link>
      <Link id="posts" href="/posts/one">
        Posts
      </Link>
      <Link href="/stock">Stock</Link>
      <Link href="/shop/prices">Prices</Link>
      <Link href="/account">Account</Link>
      <Link href="/shop/basket">Basket</Link>
    </main>
  )
}
