// Hive Gateway: whether requests that are the same and come at the same time share one answer, inward and outward.
const sharing = process.env.SHARING === "1";

export const gatewayConfig = {
  inboundInflightRequestDeduplication: sharing,
  transportEntries: { "*.http": { options: { deduplicateInflightRequests: sharing } } },
  logging: "error",
};
