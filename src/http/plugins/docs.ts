import helmet, { type FastifyHelmetOptions } from '@fastify/helmet'
import swagger from '@fastify/swagger'
import swaggerUi from '@fastify/swagger-ui'
import fp from 'fastify-plugin'

export interface DocsOptions {
  readonly name: string
  readonly version: string
  readonly authenticated: boolean
  readonly callerTokens: boolean
  readonly webhooks: boolean
}

/**
 * Headers of the one web page. What only HTTPS may say is left to the proxy that has the certificate:
 * over plain HTTP browsers complain about it, or ask for the page's scripts by HTTPS in vain.
 */
const PAGE: FastifyHelmetOptions = {
  contentSecurityPolicy: {
    useDefaults: false,
    directives: {
      defaultSrc: ["'none'"],
      baseUri: ["'none'"],
      connectSrc: ["'self'"],
      formAction: ["'none'"],
      frameAncestors: ["'none'"],
      imgSrc: ["'self'", 'data:'],
      scriptSrc: ["'self'"],
      styleSrc: ["'self'"],
    },
  },
  crossOriginOpenerPolicy: false,
  originAgentCluster: false,
  strictTransportSecurity: false,
  xFrameOptions: { action: 'deny' },
}

const GITHUB_TOKEN = {
  type: 'apiKey',
  in: 'header',
  name: 'X-GitHub-Token',
  description: 'A GitHub token of the caller’s own, in whose name alone GitHub is then asked',
} as const

const WEBHOOK_SIGNATURE = {
  type: 'apiKey',
  in: 'header',
  name: 'X-Hub-Signature-256',
  description:
    'GitHub’s signature of the body (docs.github.com/webhooks, "Validating webhook deliveries")',
} as const

/** The OpenAPI 3.1 document at /openapi.json, and Swagger UI over it at /docs. */
export const docsPlugin = fp(
  async (app, { name, version, authenticated, callerTokens, webhooks }: DocsOptions) => {
    const keys: Record<string, string[]>[] = authenticated ? [{ apiKey: [] }] : [{}, { apiKey: [] }]
    await app.register(swagger, {
      openapi: {
        openapi: '3.1.0',
        info: {
          title: name,
          version,
          description:
            'GitHub as context for AI agents: structured, token-counted, cached, safe to put into a prompt.',
          license: { name: 'MIT', identifier: 'MIT' },
        },
        servers: [{ url: '/' }],
        tags: [
          { name: 'context', description: 'Context from GitHub' },
          { name: 'sessions', description: 'Conversations with memory, and models' },
          { name: 'operation', description: 'Health and metrics' },
        ],
        security: callerTokens
          ? [...keys, ...keys.map((key) => ({ ...key, gitHubToken: [] }))]
          : keys,
        components: {
          securitySchemes: {
            apiKey: { type: 'http', scheme: 'bearer', description: 'An API key of this service' },
            ...(callerTokens ? { gitHubToken: GITHUB_TOKEN } : {}),
            ...(webhooks ? { webhookSignature: WEBHOOK_SIGNATURE } : {}),
          },
        },
      },
      refResolver: {
        buildLocalReference: (json, _base, _fragment, index) =>
          typeof json.$id === 'string' ? json.$id : `def-${index}`,
      },
    })
    await app.register(async (docs) => {
      // The page asks for no key: one is entered there, for the calls that it makes.
      docs.addHook('onRoute', (route) => {
        route.config = { ...route.config, open: true }
      })
      await docs.register(helmet, PAGE)
      await docs.register(swaggerUi, {
        routePrefix: '/docs',
        uiConfig: {
          // Without the bar on top: its logo brings an inline style, and its field loads other documents.
          layout: 'BaseLayout',
          displayRequestDuration: true,
          tryItOutEnabled: false,
          defaultModelsExpandDepth: 0,
        },
      })
    })
    app.get(
      '/openapi.json',
      { config: { open: true }, schema: { hide: true } },
      (_request, reply) =>
        reply.type('application/json; charset=utf-8').send(JSON.stringify(app.swagger())),
    )
  },
  { name: 'docs' },
)
