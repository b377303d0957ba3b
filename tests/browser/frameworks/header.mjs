// Writes what Vue's own compiler makes of the component given first, to the file given second.
import { readFileSync, writeFileSync } from 'node:fs';
import { compileScript, parse } from 'vue/compiler-sfc';

const [, , from, to] = process.argv;
const { descriptor, errors } = parse(readFileSync(from, 'utf8'), { filename: from });
if (errors.length) throw errors[0];
const isCustomElement = (tag) => /^(credits|upsell)-/.test(tag);
const { content } = compileScript(descriptor, {
  id: 'header',
  inlineTemplate: true,
  templateOptions: { compilerOptions: { isCustomElement } },
});
writeFileSync(to, content);
