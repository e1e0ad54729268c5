/** What the open addresses answer: start page, health, this document. */
import * as z from "zod";
import { OPEN } from "../access/need.ts";
import { type Operation, problems } from "../openapi/operation.ts";

const environment = z.enum(["local", "staging", "production"]);
const page = z.string().describe("A page for people");

export const platformOperations: readonly Operation[] = [
  {
    method: "GET",
    path: "/",
    tag: "Platform",
    summary: "Where to go, and commands to copy",
    need: OPEN,
    responses: [
      {
        status: 200,
        description: "The start page",
        content: {
          "text/html": page,
          "application/json": z.object({
            name: z.literal("sluice"),
            description: z.string(),
            environment,
            topics: z.array(z.string()),
            links: z.record(z.string(), z.string()),
          }),
        },
      },
    ],
  },
  {
    method: "GET",
    path: "/healthz",
    tag: "Platform",
    summary: "Whether this isolate runs",
    need: OPEN,
    responses: [
      {
        status: 200,
        description: "It runs",
        content: {
          "application/json": z.object({
            status: z.literal("ok"),
            environment,
            messages: z.object({ sent: z.int(), acknowledged: z.int() }).optional().describe("Of a local platform"),
          }),
        },
      },
    ],
  },
  {
    method: "GET",
    path: "/readyz",
    tag: "Platform",
    summary: "Whether what it depends on answered within the last five seconds",
    need: OPEN,
    responses: [
      {
        status: 200,
        description: "It is ready",
        content: { "application/json": z.object({ status: z.literal("ready"), environment }) },
      },
    ],
    refusals: problems("CATALOG_UNAVAILABLE"),
  },
  {
    method: "GET",
    path: "/openapi.json",
    tag: "Platform",
    summary: "This document",
    need: OPEN,
    responses: [
      {
        status: 200,
        description: "OpenAPI 3.1",
        content: { "application/json": z.looseObject({ openapi: z.literal("3.1.1") }) },
      },
    ],
  },
  {
    method: "GET",
    path: "/docs",
    tag: "Platform",
    summary: "This document as a page",
    need: OPEN,
    responses: [{ status: 200, description: "The page", content: { "text/html": page } }],
  },
];
