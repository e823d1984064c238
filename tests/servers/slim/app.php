<?php
// Boats of a harbour, in PHP: Slim, opened by a cookie. Its state is a file, since each request is a process's first.
error_reporting(E_ALL & ~E_DEPRECATED);
ini_set('display_errors', '0');
require '/usr/share/php/Slim/autoload.php';

use Psr\Http\Message\ResponseInterface as Response;
use Psr\Http\Message\ServerRequestInterface as Request;

const OWNERS = ['HARBOUR_MIA' => 'mia', 'HARBOUR_NOAH' => 'noah'];

function boats(): array
{
    return json_decode(file_get_contents(getenv('HARBOUR_FILE')), true);
}

function keep(array $boats): void
{
    file_put_contents(getenv('HARBOUR_FILE'), json_encode($boats, JSON_FORCE_OBJECT));
}

function refuse(Response $response, int $status, string $message): Response
{
    return $response->withJson(['error' => ['code' => $status, 'message' => $message]], $status);
}

function name(Request $request): ?string
{
    $body = json_decode((string) $request->getBody(), true);
    return is_array($body) && is_string($body['name'] ?? null) && $body['name'] !== '' ? $body['name'] : null;
}

// PHP's own server says that each path is a script.
$_SERVER['SCRIPT_NAME'] = '/app.php';

$app = new Slim\App(['settings' => ['displayErrorDetails' => false, 'determineRouteBeforeAppMiddleware' => true]]);
$container = $app->getContainer();
$container['notFoundHandler'] = fn () => fn ($request, $response) => refuse($response, 404, 'There is nothing here.');
$container['notAllowedHandler'] = fn () => fn ($request, $response, $methods) =>
    refuse($response, 405, 'The path has no such method.')->withHeader('Allow', implode(', ', $methods));

$app->add(function (Request $request, Response $response, callable $next): Response {
    $cookie = $request->getCookieParams()['harbour'] ?? '';
    foreach (OWNERS as $variable => $owner) {
        if ($cookie !== '' && hash_equals(getenv($variable), $cookie)) {
            return $next($request->withAttribute('owner', $owner), $response);
        }
    }
    return refuse($response, 401, 'Who calls is not known.')->withHeader('WWW-Authenticate', 'Cookie cookie-name="harbour"');
});

$own = function (Request $request, string $id): ?array {
    $boat = boats()[$id] ?? null;
    return $boat && $boat['owner'] === $request->getAttribute('owner') ? ['id' => $id, 'name' => $boat['name']] : null;
};

$app->get('/boats', function (Request $request, Response $response) use ($own) {
    return $response->withJson(['boats' => array_values(array_filter(array_map(
        fn ($id) => $own($request, (string) $id), array_keys(boats()))))]);
});
$app->post('/boats', function (Request $request, Response $response) use ($own) {
    if ($request->getMediaType() !== 'application/json') {
        return refuse($response, 415, 'Send JSON.');
    }
    if (($name = name($request)) === null) {
        return refuse($response, 400, 'The name is missing.');
    }
    $id = bin2hex(random_bytes(12));
    keep(boats() + [$id => ['owner' => $request->getAttribute('owner'), 'name' => $name]]);
    return $response->withJson($own($request, $id), 201);
});
$app->get('/boats/{boat}', function (Request $request, Response $response, array $path) use ($own) {
    $boat = $own($request, $path['boat']);
    return $boat ? $response->withJson($boat) : refuse($response, 404, 'There is no such boat.');
});
$app->delete('/boats/{boat}', function (Request $request, Response $response, array $path) use ($own) {
    if (!$own($request, $path['boat'])) {
        return refuse($response, 404, 'There is no such boat.');
    }
    keep(array_diff_key(boats(), [$path['boat'] => true]));
    return $response->withStatus(204);
});
$app->run();
