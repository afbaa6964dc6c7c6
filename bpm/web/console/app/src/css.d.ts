// Style sheets that are fetched as text, with code that needs them.

declare module "*.css" {
  const text: string
  export default text
}
