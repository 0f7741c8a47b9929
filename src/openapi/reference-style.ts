/** The reference's style: dark where the reader's system is. */
export const REFERENCE_STYLE = `
:root { color-scheme: light dark; font: 16px/1.5 system-ui, sans-serif; }
body { margin: 0 auto; max-width: 60rem; padding: 1rem; }
code, pre { font: 0.9em ui-monospace, monospace; }
pre { overflow-x: auto; padding: 0.75rem; border: 1px solid GrayText; border-radius: 0.5rem; white-space: pre-wrap; overflow-wrap: anywhere; }
section { border-top: 1px solid GrayText; margin-top: 2rem; }
dt { font-weight: 600; }
summary { cursor: pointer; }
`;
