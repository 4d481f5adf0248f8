// A real identity provider, npm's oidc-provider, with people who have any password: node oidc_provider.mjs PORT CLIENT
// CLIENT is JSON: client_id, client_secret, redirect_uris, post_logout_redirect_uris.
import Provider from "oidc-provider";

const [port, client] = [Number(process.argv[2]), JSON.parse(process.argv[3])];
const groups = { aiko: ["人事部", "board"] };

const provider = new Provider(`http://127.0.0.1:${port}`, {
  clients: [{ ...client, response_types: ["code"], grant_types: ["authorization_code"] }],
  scopes: ["openid", "email", "groups"],
  claims: { openid: ["sub"], email: ["email", "email_verified"], groups: ["groups"] },
  conformIdTokenClaims: false, // claims stand in the ID token, as most companies' providers put them
  pkce: { methods: ["S256"], required: () => true },
  features: { devInteractions: { enabled: true } },
  cookies: { keys: ["of the tests"] },
  findAccount: (_context, id) => ({
    accountId: id,
    claims: () => ({ sub: id, email: `${id}@example.com`, email_verified: true, groups: groups[id] ?? [] }),
  }),
});

provider.listen(port, "127.0.0.1");
