// Runs the pipelines of deploy/jenkins against a stub of Jenkins' declarative DSL: groovy jenkinsfiles.groovy FILE...
// It finds what Groovy's parser and the nesting of sections can find; Jenkins' own validation of each step's arguments it does not replace.
// Prints a line for every step with its words, and fails for a section, directive or step that is not known at its place.
import org.codehaus.groovy.control.CompilerConfiguration

/** What may stand inside what; null: a step, whose closure holds steps again. */
class Grammar {
  static final Map<String, List<String>> INSIDE = [
    '': ['pipeline'],
    pipeline: ['agent', 'options', 'triggers', 'parameters', 'environment', 'stages', 'post'],
    agent: ['label'],
    options: ['disableConcurrentBuilds', 'timeout', 'timestamps', 'buildDiscarder', 'logRotator', 'skipDefaultCheckout'],
    triggers: ['cron'],
    parameters: ['string', 'choice', 'booleanParam'],
    stages: ['stage'],
    stage: ['steps'],
    post: ['always', 'aborted', 'failure', 'success', 'unstable', 'cleanup'],
  ]
  static final List<String> STEPS =
    ['sh', 'checkout', 'junit', 'archiveArtifacts', 'script', 'withCredentials', 'string', 'unstable', 'error', 'echo']
  static List<String> allowed(String place) { INSIDE.containsKey(place) ? INSIDE[place] : STEPS }
}

abstract class Stub extends Script {
  List<String> places = ['']
  List<String> problems = []
  List<Map> calls = []

  def invokeMethod(String name, Object arguments) {
    def words = arguments as List
    if (!Grammar.allowed(places.last()).contains(name)) { problems << "'$name' inside '${places.last() ?: 'the file'}'".toString() }
    def closure = words && words.last() instanceof Closure ? words.last() : null
    calls << [name: name, words: words.findAll { !(it instanceof Closure) }, place: places.last()]
    if (closure) {
      places << (Grammar.INSIDE.containsKey(name) ? name : 'steps')
      closure.delegate = this
      closure.resolveStrategy = Closure.DELEGATE_FIRST
      closure.call()
      places = places.init()
    }
    return name == 'sh' && words && words[0] instanceof Map && words[0].returnStatus ? status : [step: name, words: words]
  }
  def status = 0
}

int failures = 0
for (file in args) {
  def text = new File(file).getText('UTF-8')
  // Every way through the conditions: deploying or not, each status.
  for (deploy in ['no', 'yes']) {
    for (status in [0, 1, 3]) {
      def configuration = new CompilerConfiguration()
      configuration.scriptBaseClass = Stub.name
      def binding = new Binding([params: [deploy: deploy, deployTo: 'staging'], env: [:], scm: 'scm', any: 'any'])
      def script = new GroovyShell(this.class.classLoader, binding, configuration).parse(text, new File(file).name.replaceAll(/[^A-Za-z]/, '_') + '.groovy')
      script.status = status
      script.run()
      def shells = script.calls.findAll { it.name == 'sh' }.collect { it.words[0] instanceof Map ? it.words[0].script : it.words[0] }
      def names = script.calls.collect { it.name }
      if (shells.any { it =~ /(?i)token|\$\{|params/ }) { script.problems << "a shell line with a token or a parameter: $shells".toString() }
      if (shells.any { it instanceof GString }) { script.problems << 'a shell line that Groovy puts together'.toString() }
      for (needed in ['junit', 'archiveArtifacts', 'timeout', 'aborted']) { if (!names.contains(needed)) { script.problems << "no $needed".toString() } }
      if (names.contains('withCredentials') != (deploy == 'yes')) { script.problems << "credentials with deploy=$deploy".toString() }
      script.problems.each { println "FAIL ${new File(file).name}: $it" }
      failures += script.problems.size()
      if (!script.problems) { println "ok   ${new File(file).name} deploy=$deploy status=$status: ${shells.join('; ')}" }
    }
  }
}
System.exit(failures ? 1 : 0)
