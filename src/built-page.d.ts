/** Wrangler hands a Worker the files of build/page as bytes: see the rules in wrangler.toml. */
declare module '*/main.js' {
  const body: ArrayBuffer;
  export default body;
}
declare module '*.html' {
  const body: ArrayBuffer;
  export default body;
}
declare module '*.css' {
  const body: ArrayBuffer;
  export default body;
}
declare module '*.svg' {
  const body: ArrayBuffer;
  export default body;
}
declare module '*.jpg' {
  const body: ArrayBuffer;
  export default body;
}
