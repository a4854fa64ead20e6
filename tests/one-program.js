// For eslint. The types of a component are looked up in what its parser makes of it. Without this the
// compiler reads the file itself, finds another text in it, and types the whole project anew for each
// component that is looked at. With it, what imports a component knows what it takes, too.

process.env['SVELTE_ESLINT_PARSER_EXPERIMENTAL_TS_SYS_HOOK'] ??= '1';
