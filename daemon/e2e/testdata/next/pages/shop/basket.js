// A page of one visitor, which begins a session.
export async function getServerSideProps({ req, res }) {
  const { basket } = req.cookies
  if (!basket) res.setHeader('Set-Cookie', 'basket=nothing; Path=/; HttpOnly')
  return { props: { basket: basket || 'nothing' } }
}

export default function Basket({ basket }) {
  return <h1>{`Your basket: ${basket}`}</h1>
}
