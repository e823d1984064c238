# Doors of a house, in Ruby: Sinatra before WEBrick, opened by a key in a header. app.rb PORT
require 'json'
require 'sinatra/base'
require 'webrick'
require 'rack/handler/webrick'

class Doors < Sinatra::Base
  OWNERS = { ENV.fetch('DOORS_MIA') => 'mia', ENV.fetch('DOORS_NOAH') => 'noah' }.freeze
  DOORS = { 1 => 'mia', 2 => 'noah', 3 => 'mia', 4 => 'mia', 5 => 'mia' }
  NAMES = Hash.new('front')

  set :show_exceptions, false
  set :raise_errors, false
  set :protection, false

  helpers do
    def refuse(status, message, headers = {})
      halt status, { 'Content-Type' => 'application/problem+json' }.merge(headers), JSON.generate(title: message, status: status)
    end

    def own(id)
      refuse(404, 'There is no such door.') unless id =~ /\A\d+\z/ && DOORS[id.to_i] == @owner
      id.to_i
    end

    def shown(id)
      JSON.generate(id: id, name: NAMES[id])
    end

    def name
      refuse(415, 'Send JSON.') unless request.media_type == 'application/json'
      text = request.body.read.force_encoding('UTF-8')
      refuse(400, 'This is not UTF-8.') unless text.valid_encoding?
      value = JSON.parse(text)
      refuse(422, 'The name is missing.') unless value.is_a?(Hash) && value['name'].is_a?(String) && !value['name'].empty?
      value['name']
    rescue JSON::ParserError, EncodingError, ArgumentError
      refuse(400, 'This is not JSON.')
    end
  end

  before do
    content_type 'application/json'
    @owner = OWNERS[request.env['HTTP_X_DOORS_KEY']]
    refuse(401, 'The key is not known.', 'WWW-Authenticate' => 'Key realm="doors"') unless @owner
  end

  get('/doors') { JSON.generate(DOORS.filter_map { |id, owner| { id: id, name: NAMES[id] } if owner == @owner }) }
  get('/doors/:id') { shown(own(params['id'])) }
  post '/doors' do
    id = DOORS.keys.max + 1
    NAMES[id] = name
    DOORS[id] = @owner
    status 201
    shown(id)
  end
  put '/doors/:id' do
    id = own(params['id'])
    NAMES[id] = name
    shown(id)
  end
  delete '/doors/:id' do
    DOORS.delete(own(params['id']))
    status 204
  end

  # Sinatra has no answer of its own to a method that a path lacks.
  METHODS = { %r{\A/doors\z} => 'GET, HEAD, POST', %r{\A/doors/[^/]+\z} => 'GET, HEAD, PUT, DELETE' }.freeze
  not_found do
    allowed = METHODS.find { |path, _| request.path_info.match?(path) }&.last
    next if allowed.nil? || allowed.split(', ').include?(request.request_method)

    refuse(405, 'The path has no such method.', 'Allow' => allowed)
  end
end

Rack::Handler::WEBrick.run(Doors, Host: '127.0.0.1', Port: Integer(ARGV[0]), AccessLog: [], Logger: WEBrick::Log.new(File::NULL))
