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

/** The step `error`, which ends the build. */
class Ended extends Exception {
  Ended(String text) { super(text) }
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
      def depth = places.size() + 1
      places << (Grammar.INSIDE.containsKey(name) ? name : 'steps')
      closure.delegate = this
      closure.resolveStrategy = Closure.DELEGATE_FIRST
      // What comes after the stages runs whatever became of them.
      try { closure.call() } catch (Ended ended) {
        if (name != 'stages') { throw ended }
        end = ended.message
        places = places.take(depth)
      }
      places = places.init()
    }
    if (name == 'error') { throw new Ended(words[0].toString()) }
    def map = name == 'sh' && words && words[0] instanceof Map ? words[0] : [:]
    return map.returnStatus ? status : map.returnStdout ? "$blames\n".toString() : [step: name, words: words]
  }
  /** What `blockfarm jenkins` ends with, and the blames of its index.json. */
  public def status = 0
  public def blames = ''
  /** The text of the `error` that ended the stages. */
  public def end = ''
}

int failures = 0
for (file in args) {
  def text = new File(file).getText('UTF-8')
  // Every way through the conditions: deploying or not, each status.
  for (deploy in ['no', 'yes']) {
    // Status 3 with whose fault it is, as index.json has it.
    for (way in [[0, ''], [1, 'repository'], [2, ''], [3, 'host'], [3, 'coordinator'], [3, 'cloud'], [3, 'host cloud'], [3, ''], [130, '']]) {
      def (status, blames) = way
      def configuration = new CompilerConfiguration()
      configuration.scriptBaseClass = Stub.name
      def binding = new Binding([params: [deploy: deploy, deployTo: 'staging'], env: [:], scm: 'scm', any: 'any'])
      def script = new GroovyShell(this.class.classLoader, binding, configuration).parse(text, new File(file).name.replaceAll(/[^A-Za-z]/, '_') + '.groovy')
      // By the fields' names: a script's properties are otherwise variables of its binding.
      script.@status = status
      script.@blames = blames
      script.run()
      def end = script.@end
      def shells = script.calls.findAll { it.name == 'sh' }.collect { it.words[0] instanceof Map ? it.words[0].script : it.words[0] }
      def names = script.calls.collect { it.name }
      if (shells.any { it =~ /(?i)token|\$\{|params/ }) { script.problems << "a shell line with a token or a parameter: $shells".toString() }
      if (shells.any { it instanceof GString }) { script.problems << 'a shell line that Groovy puts together'.toString() }
      for (needed in ['junit', 'archiveArtifacts', 'timeout', 'aborted']) { if (!names.contains(needed)) { script.problems << "no $needed".toString() } }
      if (names.contains('withCredentials') != (deploy == 'yes')) { script.problems << "credentials with deploy=$deploy".toString() }
      if (status > 1 && !end || status == 0 && end) { script.problems << "status $status ended with '$end'".toString() }
      if (status == 3) {
        def words = [host: 'no host could', coordinator: 'the coordinator could not', cloud: 'a server did not']
        words.each { cause, sentence ->
          if (end.contains(sentence) != blames.contains(cause)) { script.problems << "status 3 by '$blames': $end".toString() }
        }
        if (!blames && !end.contains('console')) { script.problems << "status 3 without a cause: $end".toString() }
      }
      def cancelled = shells.findIndexOf { it.contains('--cancel') }
      if (cancelled < 0 || script.calls.findIndexOf { it.name == 'sh' && it.words[0].toString().contains('--cancel') } > names.indexOf('junit')) {
        script.problems << 'junit before --cancel, which writes the report of a killed run'
      }
      script.problems.each { println "FAIL ${new File(file).name}: $it" }
      failures += script.problems.size()
      if (!script.problems) { println "ok   ${new File(file).name} deploy=$deploy status=$status ${blames ? "by $blames" : ''}: ${end ?: shells.join('; ')}" }
    }
  }
}
System.exit(failures ? 1 : 0)
