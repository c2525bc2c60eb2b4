/** CloudFront functions (runtime cloudfront-js-2.0): plain JavaScript, deployed as text. Local mode runs the same text. */

/** Paths of the console's own pages have no dot: all of them are index.html. A missing file stays a 404 or 403. */
export const SINGLE_PAGE = `function handler(event) {
  var request = event.request;
  var last = request.uri.substring(request.uri.lastIndexOf("/") + 1);
  if (last.indexOf(".") === -1) request.uri = "/index.html";
  return request;
}`;

/** The API has no prefix of its own. */
export const STRIP_API_PREFIX = `function handler(event) {
  var request = event.request;
  request.uri = request.uri.replace(/^\\/api(?=\\/|$)/, "") || "/";
  return request;
}`;
