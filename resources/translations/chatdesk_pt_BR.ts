<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="pt_BR" sourcelanguage="en">
<context>
    <name></name>
    <message>
        <source>ChatDesk found no display, and no window of it is open.</source>
        <translation>O ChatDesk não encontrou nenhuma tela, e nenhuma janela dele está aberta.</translation>
    </message>
    <message>
        <source>Nothing was opened or changed.</source>
        <translation>Nada foi aberto nem alterado.</translation>
    </message>
    <message>
        <source>Run this in a desktop session, or set DISPLAY or WAYLAND_DISPLAY.</source>
        <translation>Execute isto em uma sessão de área de trabalho ou defina DISPLAY ou WAYLAND_DISPLAY.</translation>
    </message>
    <message>
        <source>No display was found, so ChatDesk plays one turn without a window.</source>
        <translation>Nenhuma tela foi encontrada, então o ChatDesk executa um turno sem janela.</translation>
    </message>
    <message>
        <source>ask a question and print the answer as it comes</source>
        <translation>fazer uma pergunta e exibir a resposta à medida que chega</translation>
    </message>
    <message>
        <source>the question; - reads it from stdin</source>
        <translation>a pergunta; - a lê de stdin</translation>
    </message>
    <message>
        <source>what to do with tool calls: ask (at a terminal), deny, or what to allow: SERVER for all tools of a server and SERVER/TOOL for one; may be repeated</source>
        <translation>o que fazer com chamadas de ferramentas: ask (perguntar em um terminal), deny (negar), ou o que permitir: SERVER para todas as ferramentas de um servidor e SERVER/TOOL para uma; pode ser repetido</translation>
    </message>
    <message>
        <source>An imported system prompt is sent with the question.</source>
        <translation>Um prompt do sistema importado é enviado com a pergunta.</translation>
    </message>
    <message>
        <source>{name} changed the system prompt; it is sent with the question.</source>
        <translation>{name} alterou o prompt do sistema; ele é enviado com a pergunta.</translation>
    </message>
    <message>
        <source>Trying again in {seconds} s.</source>
        <translation>Nova tentativa em {seconds} s.</translation>
    </message>
    <message>
        <source>The question waits, {count} before it; Ctrl+C cancels.</source>
        <translation>A pergunta espera, {count} antes dela; Ctrl+C cancela.</translation>
    </message>
    <message>
        <source>continue this thread (the start of its id is enough)</source>
        <translation>continuar esta conversa (basta o começo do id)</translation>
    </message>
    <message>
        <source>ask another version of this question; the old one is kept</source>
        <translation>fazer outra versão desta pergunta; a antiga fica</translation>
    </message>
    <message>
        <source>start a new thread (the default)</source>
        <translation>começar uma nova conversa (o padrão)</translation>
    </message>
    <message>
        <source>model to ask</source>
        <translation>modelo a perguntar</translation>
    </message>
    <message>
        <source>id of the provider to ask (&apos;chatdesk providers&apos; lists them)</source>
        <translation>id do provedor a perguntar (&apos;chatdesk providers&apos; os lista)</translation>
    </message>
    <message>
        <source>assistant from the library to ask</source>
        <translation>assistente da biblioteca a perguntar</translation>
    </message>
    <message>
        <source>file to attach; may be repeated</source>
        <translation>arquivo a anexar; pode ser repetido</translation>
    </message>
    <message>
        <source>tool servers that the model may use, separated by commas, or none</source>
        <translation>servidores de ferramentas que o modelo pode usar, separados por vírgulas, ou none para nenhum</translation>
    </message>
    <message>
        <source>print one JSON object per line: start, text, ..., finish</source>
        <translation>exibir um objeto JSON por linha: start, text, ..., finish</translation>
    </message>
    <message>
        <source>ChatDesk keeps trying to save the answer for a while; Ctrl+C stops it.</source>
        <translation>O ChatDesk continua tentando salvar a resposta por um tempo; Ctrl+C interrompe.</translation>
    </message>
    <message>
        <source>The answer was not finished. What had arrived is kept.</source>
        <translation>A resposta não foi concluída. O que chegou foi mantido.</translation>
    </message>
    <message>
        <source>how the attached texts are encoded, such as windows-1251</source>
        <translation>codificação dos textos anexados, como windows-1251</translation>
    </message>
    <message>
        <source>“{name}” may be in one of several encodings: {found}.</source>
        <translation>“{name}” pode estar em uma de várias codificações: {found}.</translation>
    </message>
    <message>
        <source>Name the right one with --encoding.</source>
        <translation>Indique a correta com --encoding.</translation>
    </message>
    <message>
        <source>“{name}” is no text in the encoding {encoding}.</source>
        <translation>“{name}” não é um texto na codificação {encoding}.</translation>
    </message>
    <message>
        <source>Name the encoding in which it was written, such as windows-1251 or shift_jis.</source>
        <translation>Informe a codificação em que ele foi escrito, como windows-1251 ou shift_jis.</translation>
    </message>
    <message>
        <source>{server}: {problem}</source>
        <translation>{server}: {problem}</translation>
    </message>
    <message>
        <source>{name}: {problem}</source>
        <translation>{name}: {problem}</translation>
    </message>
    <message>
        <source>{server} offers: {names}.</source>
        <translation>{server} oferece: {names}.</translation>
    </message>
    <message>
        <source>It lists no tools.</source>
        <translation>Ele não lista nenhuma ferramenta.</translation>
    </message>
    <message>
        <source>It is switched off: chatdesk tools on {server} switches it on.</source>
        <translation>Está desligado: chatdesk tools on {server} o liga.</translation>
    </message>
    <message>
        <source>It is for the threads of a project with a folder: see chatdesk tools folder.</source>
        <translation>Ele é para as conversas de um projeto com pasta: veja chatdesk tools folder.</translation>
    </message>
    <message>
        <source>It was not asked for its tools.</source>
        <translation>As ferramentas dele não foram solicitadas.</translation>
    </message>
    <message>
        <source>Answer in the window.</source>
        <translation>Responda na janela.</translation>
    </message>
    <message>
        <source>{words} It is allowed with --approve {name}.</source>
        <translation>{words} É permitida com --approve {name}.</translation>
    </message>
    <message>
        <source>It was allowed.</source>
        <translation>Foi permitido.</translation>
    </message>
    <message>
        <source>It was denied.</source>
        <translation>Foi negado.</translation>
    </message>
    <message>
        <source>The model wants to call {tool} of {server} with</source>
        <translation>O modelo quer chamar {tool} de {server} com</translation>
    </message>
    <message>
        <source>Allow it?</source>
        <translation>Permitir?</translation>
    </message>
    <message>
        <source>The model wants to call {tool} of {server}. {words}</source>
        <translation>O modelo quer chamar {tool} de {server}. {words}</translation>
    </message>
    <message>
        <source>It was denied: nobody can be asked here (see --approve).</source>
        <translation>Foi negado: não há a quem perguntar aqui (veja --approve).</translation>
    </message>
    <message>
        <source>A ChatDesk window is open and answers this question, so --tools and --approve cannot be used.</source>
        <translation>Uma janela do ChatDesk está aberta e responde a esta pergunta, então --tools e --approve não podem ser usados.</translation>
    </message>
    <message>
        <source>The question was not sent.</source>
        <translation>A pergunta não foi enviada.</translation>
    </message>
    <message>
        <source>Choose the tools in the window, or close it.</source>
        <translation>Escolha as ferramentas na janela ou feche-a.</translation>
    </message>
    <message>
        <source>There is no tool server {first}.</source>
        <translation>Não há servidor de ferramentas {first}.</translation>
    </message>
    <message>
        <source>See &apos;chatdesk tools list&apos;.</source>
        <translation>Veja &apos;chatdesk tools list&apos;.</translation>
    </message>
    <message>
        <source>There is no tool server {name}: --approve allows nothing by this name.</source>
        <translation>Não há servidor de ferramentas {name}: --approve não permite nada com esse nome.</translation>
    </message>
    <message>
        <source>{name} has several meanings: {names}.</source>
        <translation>{name} tem vários significados: {names}.</translation>
    </message>
    <message>
        <source>Give each tool server a name of its own, or use its id (&apos;chatdesk tools list&apos;).</source>
        <translation>Dê a cada servidor de ferramentas um nome próprio ou use o identificador dele (&apos;chatdesk tools list&apos;).</translation>
    </message>
    <message>
        <source>There are several assistants called {name}.</source>
        <translation>Há vários assistentes chamados {name}.</translation>
    </message>
    <message>
        <source>There is no assistant called {name}.</source>
        <translation>Não há assistente chamado {name}.</translation>
    </message>
    <message>
        <source>There are: {names}.</source>
        <translation>Existem: {names}.</translation>
    </message>
    <message>
        <source>none</source>
        <translation>nenhum</translation>
    </message>
    <message>
        <source>write threads as Markdown, JSON, HTML or PDF</source>
        <translation>gravar conversas em Markdown, JSON, HTML ou PDF</translation>
    </message>
    <message>
        <source>all threads of this project (its name or id)</source>
        <translation>todas as conversas deste projeto (seu nome ou id)</translation>
    </message>
    <message>
        <source>make a backup now</source>
        <translation>fazer um backup agora</translation>
    </message>
    <message>
        <source>have the same chats on your own computers, through a folder</source>
        <translation>ter os mesmos chats em seus próprios computadores, por meio de uma pasta</translation>
    </message>
    <message>
        <source>an empty folder that something carries to your other computers</source>
        <translation>uma pasta vazia que algo leva aos seus outros computadores</translation>
    </message>
    <message>
        <source>begin with the first computer, and print the recovery phrase once</source>
        <translation>começar com o primeiro computador e exibir uma única vez a frase de recuperação</translation>
    </message>
    <message>
        <source>join with a further computer, or again with a restored one</source>
        <translation>entrar com outro computador, ou de novo com um restaurado</translation>
    </message>
    <message>
        <source>the same folder as on the other computers</source>
        <translation>a mesma pasta dos outros computadores</translation>
    </message>
    <message>
        <source>read the recovery phrase from FILE; else it is asked for</source>
        <translation>ler a frase de recuperação de FILE; sem isso, ela é pedida</translation>
    </message>
    <message>
        <source>do not ask</source>
        <translation>não perguntar</translation>
    </message>
    <message>
        <source>write what is new here into the folder, and read what others wrote</source>
        <translation>gravar na pasta o que é novo aqui e ler o que os outros gravaram</translation>
    </message>
    <message>
        <source>remove a computer, such as a lost one, and make a new recovery phrase</source>
        <translation>remover um computador, como um perdido, e criar uma nova frase de recuperação</translation>
    </message>
    <message>
        <source>the name or id of the computer</source>
        <translation>o nome ou id do computador</translation>
    </message>
    <message>
        <source>wait at most this long ({seconds})</source>
        <translation>esperar no máximo este tempo ({seconds})</translation>
    </message>
    <message>
        <source>bring everything back on an empty profile, with the recovery phrase</source>
        <translation>trazer tudo de volta em um perfil vazio, com a frase de recuperação</translation>
    </message>
    <message>
        <source>show your computers, and what waits</source>
        <translation>mostrar seus computadores e o que está pendente</translation>
    </message>
    <message>
        <source>stop reading and writing the folder, until &apos;resume&apos;</source>
        <translation>parar de ler e gravar na pasta, até &apos;resume&apos;</translation>
    </message>
    <message>
        <source>read and write the folder again</source>
        <translation>voltar a ler e gravar na pasta</translation>
    </message>
    <message>
        <source>forget the folder; everything stays on this computer</source>
        <translation>esquecer a pasta; tudo fica neste computador</translation>
    </message>
    <message>
        <source>A folder has a name.</source>
        <translation>Uma pasta tem um nome.</translation>
    </message>
    <message>
        <source>Name one that others carry.</source>
        <translation>Indique uma que chegue aos seus outros computadores.</translation>
    </message>
    <message>
        <source>This is no folder.</source>
        <translation>Isto não é uma pasta.</translation>
    </message>
    <message>
        <source>The file with the recovery phrase cannot be read: {reason}.</source>
        <translation>O arquivo com a frase de recuperação não pode ser lido: {reason}.</translation>
    </message>
    <message>
        <source>A computer has a name.</source>
        <translation>Um computador tem um nome.</translation>
    </message>
    <message>
        <source>It keeps your computers in step by itself. Close it to do this here.</source>
        <translation>Ele sincroniza seus computadores sozinho. Feche-o para fazer isto aqui.</translation>
    </message>
    <message>
        <source>This is your recovery phrase. Write it down: your other computers need it, and with it alone you get your chats back. Whoever has it and the folder can read everything. It is not shown again.</source>
        <translation>Esta é a sua frase de recuperação. Anote-a: seus outros computadores precisam dela, e só com ela você recupera seus chats. Quem tiver a frase e a pasta pode ler tudo. Ela não será mostrada de novo.</translation>
    </message>
    <message>
        <source>Recovery phrase: </source>
        <translation>Frase de recuperação: </translation>
    </message>
    <message>
        <source>The folder has {size} and is used by: {computers}.</source>
        <translation>A pasta ocupa {size} e é usada por: {computers}.</translation>
    </message>
    <message>
        <source>Bring everything here?</source>
        <translation>Trazer tudo para cá?</translation>
    </message>
    <message>
        <source>Merge the chats of this computer with theirs?</source>
        <translation>Mesclar os chats deste computador com os deles?</translation>
    </message>
    <message>
        <source>Remove {name}? Your other computers then need the new recovery phrase, which is shown. {name} keeps, and can read, everything that it had, and gets nothing new.</source>
        <translation>Remover {name}? Seus outros computadores vão precisar da nova frase de recuperação, que será mostrada. {name} mantém tudo o que tinha, pode lê-lo e não recebe nada novo.</translation>
    </message>
    <message>
        <source>{name} was removed. Join again with the new phrase on your other computers.</source>
        <translation>{name} foi removido. Entre de novo com a nova frase em seus outros computadores.</translation>
    </message>
    <message>
        <source>Paused: nothing is read or written there.</source>
        <translation>Em pausa: nada é lido nem gravado lá.</translation>
    </message>
    <message>
        <source>Your computers are kept in step again.</source>
        <translation>Seus computadores voltaram a ser sincronizados.</translation>
    </message>
    <message>
        <source>{name} (this one)</source>
        <translation>{name} (este)</translation>
    </message>
    <message>
        <source>{computer}, last here {moment}</source>
        <translation>{computer}, visto aqui pela última vez: {moment}</translation>
    </message>
    <message numerus="yes">
        <source>{count} files of it have not arrived yet</source>
        <comment>{count} file of it has not arrived yet</comment>
        <translation>
            <numerusform>{count} arquivo dele ainda não chegou</numerusform>
            <numerusform>{count} arquivos dele ainda não chegaram</numerusform>
        </translation>
    </message>
    <message>
        <source>the folder has older files of it than before</source>
        <translation>a pasta tem arquivos dele mais antigos que antes</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes are not in the folder yet. Your other computers do not get them.</source>
        <comment>{count} change is not in the folder yet. Your other computers do not get it.</comment>
        <translation>
            <numerusform>{count} alteração ainda não está na pasta. Seus outros computadores não a recebem.</numerusform>
            <numerusform>{count} alterações ainda não estão na pasta. Seus outros computadores não as recebem.</numerusform>
        </translation>
    </message>
    <message>
        <source>Forget the folder {folder}? Its projects stay here as private ones.</source>
        <translation>Esquecer a pasta {folder}? Os projetos dela ficam aqui como privados.</translation>
    </message>
    <message>
        <source>This computer has left {folder}. The files there stay for your other computers, and nobody can read them without the recovery phrase. With it you can join again.</source>
        <translation>Este computador saiu de {folder}. Os arquivos ficam lá para seus outros computadores, e ninguém pode lê-los sem a frase de recuperação. Com ela você pode entrar de novo.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers sync&apos; continues.</source>
        <translation>&apos;chatdesk computers sync&apos; continua.</translation>
    </message>
    <message>
        <source>Join again with the recovery phrase: &apos;chatdesk computers join&apos;.</source>
        <translation>Entre de novo com a frase de recuperação: &apos;chatdesk computers join&apos;.</translation>
    </message>
    <message>
        <source>Everything is in the folder, and everything in the folder is here.</source>
        <translation>Tudo está na pasta, e tudo o que está na pasta está aqui.</translation>
    </message>
    <message>
        <source>Attached files are on their way.</source>
        <translation>Os arquivos anexados estão a caminho.</translation>
    </message>
    <message numerus="yes">
        <source>{count} files in the folder are incomplete, or were changed. What they bring waits.</source>
        <comment>{count} file in the folder is incomplete, or was changed. What it brings waits.</comment>
        <translation>
            <numerusform>{count} arquivo da pasta está incompleto ou foi alterado. O que ele traz fica pendente.</numerusform>
            <numerusform>{count} arquivos da pasta estão incompletos ou foram alterados. O que eles trazem fica pendente.</numerusform>
        </translation>
    </message>
    <message>
        <source>It is at {path}.</source>
        <translation>Está em {path}.</translation>
    </message>
    <message>
        <source>This format needs a file or folder to write to.</source>
        <translation>Este formato precisa de um arquivo ou pasta para gravar.</translation>
    </message>
    <message>
        <source>Give one with --output.</source>
        <translation>Indique um com --output.</translation>
    </message>
    <message>
        <source>Choose threads, a project, or everything, but not two of them.</source>
        <translation>Escolha conversas, um projeto ou tudo, mas não dois deles.</translation>
    </message>
    <message>
        <source>Leave one of them out.</source>
        <translation>Deixe um deles de fora.</translation>
    </message>
    <message>
        <source>Nothing to export was named.</source>
        <translation>Nada a exportar foi indicado.</translation>
    </message>
    <message>
        <source>Give a thread, --project NAME or --all.</source>
        <translation>Indique uma conversa, --project NAME ou --all.</translation>
    </message>
    <message>
        <source>id of the thread, or the start of it</source>
        <translation>id da conversa, ou o começo dele</translation>
    </message>
    <message>
        <source>everything</source>
        <translation>tudo</translation>
    </message>
    <message>
        <source>include the trash</source>
        <translation>incluir a lixeira</translation>
    </message>
    <message>
        <source>file to write (with json, a .zip includes the attachments), or a folder for several threads</source>
        <translation>arquivo a gravar (com json, um .zip inclui os anexos) ou uma pasta para várias conversas</translation>
    </message>
    <message>
        <source>zip file to write, with the database and all attachments</source>
        <translation>arquivo zip a gravar, com o banco de dados e todos os anexos</translation>
    </message>
    <message>
        <source>replace the database with a backup</source>
        <translation>substituir o banco de dados por um backup</translation>
    </message>
    <message>
        <source>path of the backup, or its name in the backup directory</source>
        <translation>caminho do backup, ou seu nome no diretório de backups</translation>
    </message>
    <message>
        <source>list the backups, newest first</source>
        <translation>listar os backups, o mais recente primeiro</translation>
    </message>
    <message>
        <source>an attachment was left out: {sentence}</source>
        <translation>um anexo ficou de fora: {sentence}</translation>
    </message>
    <message>
        <source>A window is open on this data directory, and it makes the regular backups.</source>
        <translation>Uma janela está aberta neste diretório de dados e faz os backups regulares.</translation>
    </message>
    <message>
        <source>Use Settings, Data and backup, Back up now; or give a FILE.</source>
        <translation>Use Configurações, Dados e backup, Fazer backup agora; ou indique um FILE.</translation>
    </message>
    <message>
        <source>Close the window, or choose another --data-dir.</source>
        <translation>Feche a janela ou escolha outro --data-dir.</translation>
    </message>
    <message>
        <source>Replace the current database with it? The current one is kept.</source>
        <translation>Substituir o banco de dados atual por ele? O atual é mantido.</translation>
    </message>
    <message>
        <source>No backup was named.</source>
        <translation>Nenhum backup foi indicado.</translation>
    </message>
    <message>
        <source>&apos;chatdesk restore --list&apos; lists them.</source>
        <translation>&apos;chatdesk restore --list&apos; os lista.</translation>
    </message>
    <message>
        <source>nothing was changed</source>
        <translation>nada foi alterado</translation>
    </message>
    <message>
        <source>The backup was restored.</source>
        <translation>O backup foi restaurado.</translation>
    </message>
    <message>
        <source>The database as it was before is kept at {kept}.</source>
        <translation>O banco de dados como era antes está guardado em {kept}.</translation>
    </message>
    <message>
        <source>{file}, made {time}</source>
        <translation>{file}, feito em {time}</translation>
    </message>
    <message>
        <source>Threads: {threads}, messages: {messages}, schema version {schema}</source>
        <translation>Conversas: {threads}, mensagens: {messages}, versão do esquema {schema}</translation>
    </message>
    <message>
        <source>Close the window, or use Settings, Data and backup, Repair in it.</source>
        <translation>Feche a janela ou use nela Configurações, Dados e backup, Reparar.</translation>
    </message>
    <message>
        <source>The database could not be upgraded as it was, so a copy of it was repaired and upgraded.</source>
        <translation>O banco de dados não pôde ser atualizado como estava, por isso uma cópia dele foi reparada e atualizada.</translation>
    </message>
    <message>
        <source>The database was damaged; what could be read was copied into a new one.</source>
        <translation>O banco de dados estava danificado; o que pôde ser lido foi copiado para um novo.</translation>
    </message>
    <message>
        <source>The damaged one is kept at {kept}. Compare with &apos;chatdesk restore --list&apos;: a backup may hold more.</source>
        <translation>O danificado está guardado em {kept}. Compare com &apos;chatdesk restore --list&apos;: um backup pode conter mais.</translation>
    </message>
    <message>
        <source>fill a data directory with made-up threads</source>
        <translation>encher um diretório de dados com conversas inventadas</translation>
    </message>
    <message>
        <source>make about N messages in total (500)</source>
        <translation>criar cerca de N mensagens no total (500)</translation>
    </message>
    <message>
        <source>seed for the made-up texts; another number makes other texts (1)</source>
        <translation>semente dos textos inventados; outro número cria outros textos (1)</translation>
    </message>
    <message>
        <source>add them even if there are threads already</source>
        <translation>adicionar mesmo se já houver conversas</translation>
    </message>
    <message>
        <source>At most {most_messages} messages can be made at once.</source>
        <translation>No máximo {most_messages} mensagens podem ser criadas de uma vez.</translation>
    </message>
    <message>
        <source>Choose fewer.</source>
        <translation>Escolha menos.</translation>
    </message>
    <message>
        <source>ChatDesk is open on this data directory.</source>
        <translation>O ChatDesk está aberto neste diretório de dados.</translation>
    </message>
    <message>
        <source>Close it, or choose another one.</source>
        <translation>Feche-o ou escolha outro.</translation>
    </message>
    <message>
        <source>There are threads in this data directory already ({count}).</source>
        <translation>Já há conversas neste diretório de dados ({count}).</translation>
    </message>
    <message>
        <source>Choose an empty one with --data-dir, or give --add to put the made-up ones among them.</source>
        <translation>Escolha um vazio com --data-dir, ou use --add para pôr as inventadas entre elas.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads</source>
        <comment>{count} thread</comment>
        <translation>
            <numerusform>{count} conversa</numerusform>
            <numerusform>{count} conversas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages</source>
        <comment>{count} message</comment>
        <translation>
            <numerusform>{count} mensagem</numerusform>
            <numerusform>{count} mensagens</numerusform>
        </translation>
    </message>
    <message>
        <source>Made {threads} with {messages}.</source>
        <translation>{threads} com {messages} criadas.</translation>
    </message>
    <message>
        <source>written to {file}; look through it before you send it</source>
        <translation>gravado em {file}; examine-o antes de enviar</translation>
    </message>
    <message>
        <source>This process may open only {limit} files at once, and ChatDesk needs at least {needed}.</source>
        <translation>Este processo só pode abrir {limit} arquivos de uma vez, e o ChatDesk precisa de pelo menos {needed}.</translation>
    </message>
    <message>
        <source>Raise the limit (ulimit -n 256), then try again.</source>
        <translation>Aumente o limite (ulimit -n 256) e tente novamente.</translation>
    </message>
    <message>
        <source>Check its owner and permissions, or choose another with --data-dir.</source>
        <translation>Verifique seu dono e suas permissões, ou escolha outro com --data-dir.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: {file} is a file.</source>
        <translation>O diretório de dados não pode ser usado: {file} é um arquivo.</translation>
    </message>
    <message>
        <source>Choose a directory with --data-dir.</source>
        <translation>Escolha um diretório com --data-dir.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: The disk of {directory} is full.</source>
        <translation>O diretório de dados não pode ser usado: o disco de {directory} está cheio.</translation>
    </message>
    <message>
        <source>Free some space, or choose another with --data-dir.</source>
        <translation>Libere espaço ou escolha outro com --data-dir.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: {file} may not be opened or made by this user.</source>
        <translation>O diretório de dados não pode ser usado: {file} não pode ser aberto ou criado por este usuário.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: {reason}: {file}.</source>
        <translation>O diretório de dados não pode ser usado: {reason}: {file}.</translation>
    </message>
    <message>
        <source>Nothing was changed.</source>
        <translation>Nada foi alterado.</translation>
    </message>
    <message>
        <source>This process may not open more files at once.</source>
        <translation>Este processo não pode abrir mais arquivos de uma vez.</translation>
    </message>
    <message>
        <source>What was saved before is unchanged.</source>
        <translation>O que foi salvo antes está inalterado.</translation>
    </message>
    <message>
        <source>The system gives this process no more memory or threads.</source>
        <translation>O sistema não dá mais memória ou threads a este processo.</translation>
    </message>
    <message>
        <source>Close other programs or raise the limits (ulimit), then try again.</source>
        <translation>Feche outros programas ou aumente os limites (ulimit) e tente novamente.</translation>
    </message>
    <message>
        <source>put the threads into this project (by default one named after the program)</source>
        <translation>pôr as conversas neste projeto (senão, em um com o nome do programa)</translation>
    </message>
    <message>
        <source>import an export of ChatDesk or of another program</source>
        <translation>importar uma exportação do ChatDesk ou de outro programa</translation>
    </message>
    <message>
        <source>export of another program: a zip, JSON, JSON Lines or CSV file, or a folder</source>
        <translation>exportação de outro programa: um arquivo zip, JSON, JSON Lines ou CSV, ou uma pasta</translation>
    </message>
    <message>
        <source>remember the facts that ChatGPT or Claude remembered, too</source>
        <translation>memorizar também os fatos que o ChatGPT ou o Claude memorizaram</translation>
    </message>
    <message>
        <source>only report what would be imported</source>
        <translation>só informar o que seria importado</translation>
    </message>
    <message>
        <source>print the report as JSON</source>
        <translation>exibir o relatório como JSON</translation>
    </message>
    <message>
        <source>Import the file in its window, or close it first.</source>
        <translation>Importe o arquivo na janela dele, ou feche-a antes.</translation>
    </message>
    <message numerus="yes">
        <source>{percent} %  {count} threads</source>
        <comment>{percent} %  {count} thread</comment>
        <translation>
            <numerusform>{percent} %  {count} conversa</numerusform>
            <numerusform>{percent} %  {count} conversas</numerusform>
        </translation>
    </message>
    <message>
        <source>Reading the files, so that a search finds what is in them…</source>
        <translation>Lendo os arquivos, para que uma busca encontre o que há neles …</translation>
    </message>
    <message>
        <source>Memory: {text}</source>
        <translation>Memória: {text}</translation>
    </message>
    <message>
        <source>--memories keeps them, and they are sent to the providers that you allow.</source>
        <translation>--memories as mantém, e elas são enviadas aos provedores que você permitir.</translation>
    </message>
    <message>
        <source>Memory is off. Once it is on, --memories keeps them, for the providers that you allow.</source>
        <translation>A memória está desligada. Quando estiver ligada, --memories as mantém, para os provedores que você permitir.</translation>
    </message>
    <message>
        <source>check the database, the paths and the providers</source>
        <translation>verificar o banco de dados, os caminhos e os provedores</translation>
    </message>
    <message>
        <source>answer from your own files</source>
        <translation>responder a partir dos seus próprios arquivos</translation>
    </message>
    <message>
        <source>add a folder, a file or a web page, and read it</source>
        <translation>adicionar uma pasta, um arquivo ou uma página da web e ler o conteúdo</translation>
    </message>
    <message>
        <source>list what a project has, and how far it is read</source>
        <translation>listar o que um projeto tem e até onde foi lido</translation>
    </message>
    <message>
        <source>find the passages that fit a question</source>
        <translation>localizar os trechos que correspondem a uma pergunta</translation>
    </message>
    <message>
        <source>try questions with the file that should be found</source>
        <translation>testar perguntas com o arquivo que deve ser encontrado</translation>
    </message>
    <message>
        <source>forget a folder, file or page</source>
        <translation>esquecer uma pasta, um arquivo ou uma página</translation>
    </message>
    <message>
        <source>choose what the team of a shared project gets of it</source>
        <translation>escolher o que a equipe de um projeto compartilhado recebe disso</translation>
    </message>
    <message>
        <source>choose what makes the vectors for finding by meaning</source>
        <translation>escolher o que calcula os vetores da busca por significado</translation>
    </message>
    <message>
        <source>list the providers that get the files, or never do</source>
        <translation>listar os provedores que recebem os arquivos, ou nunca recebem</translation>
    </message>
    <message>
        <source>folder, file, or address of a web page</source>
        <translation>pasta, arquivo ou endereço de uma página da web</translation>
    </message>
    <message>
        <source>leave out what a line of a .gitignore would</source>
        <translation>deixar de fora o que uma linha de um .gitignore deixaria</translation>
    </message>
    <message>
        <source>read it though its name looks like that of a secret</source>
        <translation>ler mesmo que o nome pareça o de um segredo</translation>
    </message>
    <message>
        <source>what you want to know</source>
        <translation>o que você quer saber</translation>
    </message>
    <message>
        <source>at most N passages (8)</source>
        <translation>no máximo N trechos (8)</translation>
    </message>
    <message>
        <source>JSON list of objects with a question and a file; - reads stdin; without it, the kept questions</source>
        <translation>lista JSON de objetos com uma pergunta (question) e um arquivo (file); - a lê de stdin; sem ela, as perguntas guardadas</translation>
    </message>
    <message>
        <source>keep those of FILE, and try all that are kept</source>
        <translation>guardar as de FILE e testar todas as guardadas</translation>
    </message>
    <message>
        <source>nothing, its name, or the text of its files too</source>
        <translation>nada, o nome ou também o texto dos arquivos</translation>
    </message>
    <message>
        <source>a model for embeddings of one of your providers</source>
        <translation>um modelo de embeddings de um dos seus provedores</translation>
    </message>
    <message>
        <source>the vectors that come with ChatDesk, without a network</source>
        <translation>os vetores que vêm com o ChatDesk, sem rede</translation>
    </message>
    <message>
        <source>with --model: do it, after its cost was told</source>
        <translation>com --model: executar, depois de informado o custo</translation>
    </message>
    <message>
        <source>never send the files of the project to it</source>
        <translation>nunca enviar a ele os arquivos do projeto</translation>
    </message>
    <message>
        <source>send them again</source>
        <translation>enviá-los de novo</translation>
    </message>
    <message>
        <source>its id or place, as listed</source>
        <translation>seu id ou local, como na lista</translation>
    </message>
    <message>
        <source>as JSON</source>
        <translation>como JSON</translation>
    </message>
    <message>
        <source>The question is empty.</source>
        <translation>A pergunta está vazia.</translation>
    </message>
    <message>
        <source>There is no file of questions to keep.</source>
        <translation>Não há arquivo de perguntas para guardar.</translation>
    </message>
    <message>
        <source>Give a FILE with --keep.</source>
        <translation>Informe um arquivo FILE com --keep.</translation>
    </message>
    <message>
        <source>“{file}” is no JSON list of objects with a question and a file.</source>
        <translation>“{file}” não é uma lista JSON de objetos com uma pergunta (question) e um arquivo (file).</translation>
    </message>
    <message>
        <source>Write: {example}</source>
        <translation>Escreva: {example}</translation>
    </message>
    <message>
        <source>“{model}” is no provider and model.</source>
        <translation>“{model}” não é um provedor e um modelo.</translation>
    </message>
    <message>
        <source>--yes belongs to --model.</source>
        <translation>--yes acompanha --model.</translation>
    </message>
    <message>
        <source>ChatDesk is open and reads the files of projects.</source>
        <translation>O ChatDesk está aberto e lê os arquivos dos projetos.</translation>
    </message>
    <message>
        <source>Change them in the window, in the project&apos;s Files, or close ChatDesk first.</source>
        <translation>Altere-os na janela, em “Arquivos do projeto”, ou feche o ChatDesk antes.</translation>
    </message>
    <message>
        <source>looks like a secret, not read</source>
        <translation>parece um segredo, não lido</translation>
    </message>
    <message>
        <source>, page {page}</source>
        <translation>, página {page}</translation>
    </message>
    <message>
        <source>No questions are kept for this project.</source>
        <translation>Nenhuma pergunta está guardada para este projeto.</translation>
    </message>
    <message>
        <source>Give a FILE with --keep, or add some in the window, in the project&apos;s Files.</source>
        <translation>Informe um arquivo FILE com --keep, ou adicione perguntas na janela, nos arquivos do projeto.</translation>
    </message>
    <message>
        <source>{hits} of {total} among the first five</source>
        <translation>{hits} de {total} entre os cinco primeiros</translation>
    </message>
    <message>
        <source>The project has no such folder, file or page.</source>
        <translation>O projeto não tem essa pasta, arquivo ou página.</translation>
    </message>
    <message>
        <source>See &apos;chatdesk knowledge list&apos;.</source>
        <translation>Veja &apos;chatdesk knowledge list&apos;.</translation>
    </message>
    <message>
        <source>There is no provider “{provider}”.</source>
        <translation>Não há provedor “{provider}”.</translation>
    </message>
    <message>
        <source>See &apos;chatdesk providers list&apos;.</source>
        <translation>Veja &apos;chatdesk providers list&apos;.</translation>
    </message>
    <message>
        <source>gets the files</source>
        <translation>recebe os arquivos</translation>
    </message>
    <message>
        <source>Nothing was sent or changed. Add --yes to do it.</source>
        <translation>Nada foi enviado nem alterado. Acrescente --yes para fazê-lo.</translation>
    </message>
    <message numerus="yes">
        <source>{count} files read</source>
        <comment>{count} file read</comment>
        <translation>
            <numerusform>{count} arquivo lido</numerusform>
            <numerusform>{count} arquivos lidos</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} to be read</source>
        <comment>{count} to be read</comment>
        <translation>
            <numerusform>{count} por ler</numerusform>
            <numerusform>{count} por ler</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} cannot be read</source>
        <comment>{count} cannot be read</comment>
        <translation>
            <numerusform>{count} não pode ser lido</numerusform>
            <numerusform>{count} não podem ser lidos</numerusform>
        </translation>
    </message>
    <message>
        <source>paused</source>
        <translation>em pausa</translation>
    </message>
    <message>
        <source>keep all data in DIR (or set CHATDESK_DATA_DIR)</source>
        <translation>manter todos os dados em DIR (ou defina CHATDESK_DATA_DIR)</translation>
    </message>
    <message>
        <source>write more to the log, and to stderr too</source>
        <translation>gravar mais no log, e também em stderr</translation>
    </message>
    <message>
        <source>Chat with language models. Without a command, the window opens.</source>
        <translation>Conversar com modelos de linguagem. Sem um comando, a janela se abre.</translation>
    </message>
    <message>
        <source>also write a zip to attach to a bug report</source>
        <translation>gravar também um zip para anexar a um relato de erro</translation>
    </message>
    <message>
        <source>repair the database, keeping a copy of it</source>
        <translation>reparar o banco de dados, mantendo uma cópia dele</translation>
    </message>
    <message>
        <source>The output could not be written: {reason}.</source>
        <translation>A saída não pôde ser gravada: {reason}.</translation>
    </message>
    <message>
        <source>unrecognized arguments: {unknown}</source>
        <translation>argumentos não reconhecidos: {unknown}</translation>
    </message>
    <message>
        <source>Something unexpected happened: {title}. Your messages are kept.</source>
        <translation>Algo inesperado aconteceu: {title}. Suas mensagens foram mantidas.</translation>
    </message>
    <message>
        <source>A report is in {path}.</source>
        <translation>Há um relatório em {path}.</translation>
    </message>
    <message>
        <source>let an editor or assistant read threads (MCP, stdio)</source>
        <translation>deixar um editor ou assistente ler conversas (MCP, stdio)</translation>
    </message>
    <message>
        <source>also allow ask, write (drafts), or ask,write</source>
        <translation>permitir também ask, write (rascunhos) ou ask,write</translation>
    </message>
    <message>
        <source>it must be ask, write, or ask,write</source>
        <translation>deve ser ask, write ou ask,write</translation>
    </message>
    <message>
        <source>Give the id of a thread, a link that begins with chatdesk://, or the path of a file.</source>
        <translation>Informe o identificador de uma conversa, um link que comece com chatdesk:// ou o caminho de um arquivo.</translation>
    </message>
    <message>
        <source>“{target}” is neither a thread, a link nor a file that is there.</source>
        <translation>“{target}” não é uma conversa, nem um link, nem um arquivo existente.</translation>
    </message>
    <message>
        <source>show a thread, a link or a file in the window</source>
        <translation>mostrar uma conversa, um link ou um arquivo na janela</translation>
    </message>
    <message>
        <source>the id of a thread, a link (chatdesk://…), an export of chats or an invitation</source>
        <translation>o id de uma conversa, um link (chatdesk://…), uma exportação de chats ou um convite</translation>
    </message>
    <message>
        <source>start a new thread, as the launcher&apos;s menu does</source>
        <translation>começar uma nova conversa, como faz o menu do lançador</translation>
    </message>
    <message>
        <source>open the search, as the launcher&apos;s menu does</source>
        <translation>abrir a busca, como faz o menu do lançador</translation>
    </message>
    <message>
        <source>open the field for a quick question (to bind to a key)</source>
        <translation>abrir o campo de pergunta rápida (para associar a uma tecla)</translation>
    </message>
    <message>
        <source>key from {variable}</source>
        <translation>chave de {variable}</translation>
    </message>
    <message>
        <source>key in the keyring</source>
        <translation>chave no chaveiro</translation>
    </message>
    <message>
        <source>key in the encrypted file</source>
        <translation>chave no arquivo criptografado</translation>
    </message>
    <message>
        <source>key for this run</source>
        <translation>chave para esta execução</translation>
    </message>
    <message>
        <source>no key</source>
        <translation>sem chave</translation>
    </message>
    <message>
        <source>key withheld</source>
        <translation>chave retida</translation>
    </message>
    <message>
        <source>skipped</source>
        <translation>pulado</translation>
    </message>
    <message>
        <source>list the providers that are set up</source>
        <translation>listar os provedores configurados</translation>
    </message>
    <message>
        <source>test each of them, step by step</source>
        <translation>testar cada um deles, passo a passo</translation>
    </message>
    <message>
        <source>allow this provider&apos;s key to be sent to its current server</source>
        <translation>permitir que a chave deste provedor seja enviada ao servidor atual dele</translation>
    </message>
    <message>
        <source>No key of {provider} is waiting for your agreement.</source>
        <translation>Nenhuma chave de {provider} está esperando sua concordância.</translation>
    </message>
    <message>
        <source>with --agree: do not ask</source>
        <translation>com --agree: não perguntar</translation>
    </message>
    <message>
        <source>a JSON array</source>
        <translation>uma matriz JSON</translation>
    </message>
    <message>
        <source>Offline demo</source>
        <translation>Demonstração offline</translation>
    </message>
    <message>
        <source>Agreed: the key of {provider} goes to {server}.</source>
        <translation>Consentido: a chave de {provider} vai para {server}.</translation>
    </message>
    <message>
        <source>Offline demo, without network</source>
        <translation>Demonstração offline, sem rede</translation>
    </message>
    <message>
        <source>switched off</source>
        <translation>desligado</translation>
    </message>
    <message>
        <source>Messages</source>
        <translation>Mensagens</translation>
    </message>
    <message>
        <source>Threads</source>
        <translation>Conversas</translation>
    </message>
    <message>
        <source>Projects</source>
        <translation>Projetos</translation>
    </message>
    <message>
        <source>Tags</source>
        <translation>Etiquetas</translation>
    </message>
    <message>
        <source>Files</source>
        <translation>Arquivos</translation>
    </message>
    <message>
        <source>search messages, threads, projects, tags and files</source>
        <translation>buscar mensagens, conversas, projetos, etiquetas e arquivos</translation>
    </message>
    <message>
        <source>words, &quot;phrases&quot;, begin*, -not, tag:, before:, …</source>
        <translation>palavras, &quot;frases&quot;, começo*, -não, tag:, before:, …</translation>
    </message>
    <message>
        <source>at most N hits of each kind (20)</source>
        <translation>no máximo N resultados de cada tipo (20)</translation>
    </message>
    <message>
        <source>a JSON array of groups</source>
        <translation>uma matriz JSON de grupos</translation>
    </message>
    <message>
        <source>{kind} (more than {count})</source>
        <translation>{kind} (mais de {count})</translation>
    </message>
    <message>
        <source>{kind} ({count})</source>
        <translation>{kind} ({count})</translation>
    </message>
    <message>
        <source>Nothing was found.</source>
        <translation>Nada foi encontrado.</translation>
    </message>
    <message>
        <source>Indexing: {percent} %</source>
        <translation>Indexando: {percent} %</translation>
    </message>
    <message>
        <source>read, write, ask, admin or remote (read)</source>
        <translation>read, write, ask, admin ou remote (read)</translation>
    </message>
    <message>
        <source>expire after N days</source>
        <translation>expirar após N dias</translation>
    </message>
    <message>
        <source>at most N requests a minute</source>
        <translation>no máximo N solicitações por minuto</translation>
    </message>
    <message>
        <source>serve other programs on this computer until Ctrl+C</source>
        <translation>atender outros programas deste computador até Ctrl+C</translation>
    </message>
    <message>
        <source>port to listen on; 0 means any free port</source>
        <translation>porta em que se escuta; 0 significa qualquer porta livre</translation>
    </message>
    <message>
        <source>make, list and revoke tokens for other programs</source>
        <translation>criar, listar e revogar tokens para outros programas</translation>
    </message>
    <message>
        <source>make a token and print it; it is not shown again</source>
        <translation>criar um token e exibi-lo; ele não é mostrado de novo</translation>
    </message>
    <message>
        <source>name of the program that will use it</source>
        <translation>nome do programa que vai usá-lo</translation>
    </message>
    <message>
        <source>allow access to this project only</source>
        <translation>permitir acesso somente a este projeto</translation>
    </message>
    <message>
        <source>use at most N model tokens a minute</source>
        <translation>usar no máximo N tokens de modelos por minuto</translation>
    </message>
    <message>
        <source>spend at most USD dollars a day</source>
        <translation>gastar no máximo USD dólares por dia</translation>
    </message>
    <message>
        <source>write the token to this file instead of printing it</source>
        <translation>gravar o token neste arquivo em vez de exibi-lo</translation>
    </message>
    <message>
        <source>list the tokens, without their secret texts</source>
        <translation>listar os tokens, sem seus textos secretos</translation>
    </message>
    <message>
        <source>revoke a token and end what is being done with it</source>
        <translation>revogar um token e encerrar o que está sendo feito com ele</translation>
    </message>
    <message>
        <source>its name or id</source>
        <translation>seu nome ou id</translation>
    </message>
    <message>
        <source>Listening on {url}</source>
        <translation>Escutando em {url}</translation>
    </message>
    <message>
        <source>Listening on {socket}</source>
        <translation>Escutando em {socket}</translation>
    </message>
    <message>
        <source>The token “{name}”, which is shown only now:</source>
        <translation>O token “{name}”, que só é mostrado agora:</translation>
    </message>
    <message>
        <source>The token “{name}” is revoked.</source>
        <translation>O token “{name}” foi revogado.</translation>
    </message>
    <message>
        <source>never used</source>
        <translation>nunca usado</translation>
    </message>
    <message>
        <source>used {time}</source>
        <translation>usado em {time}</translation>
    </message>
    <message>
        <source>until {time}</source>
        <translation>até {time}</translation>
    </message>
    <message>
        <source>There are no tokens.</source>
        <translation>Não há tokens.</translation>
    </message>
    <message>
        <source>it must be a number from 0 to 65535</source>
        <translation>deve ser um número de 0 a 65535</translation>
    </message>
    <message>
        <source>it must be a number above 0 and below 1,000,000</source>
        <translation>deve ser um número maior que 0 e menor que 1.000.000</translation>
    </message>
    <message>
        <source>share projects through a team&apos;s database</source>
        <translation>compartilhar projetos por meio do banco de dados de uma equipe</translation>
    </message>
    <message>
        <source>Use Settings, Team sync in its window, or close it first.</source>
        <translation>Use Configurações, Sincronização da equipe na janela dele, ou feche-a antes.</translation>
    </message>
    <message>
        <source>this profile is in no workspace</source>
        <translation>este perfil não está em nenhum espaço de trabalho</translation>
    </message>
    <message>
        <source>owner</source>
        <translation>proprietário</translation>
    </message>
    <message>
        <source>show the state of this profile&apos;s workspaces, and what was refused</source>
        <translation>mostra o estado dos espaços de trabalho deste perfil, e o que foi recusado</translation>
    </message>
    <message>
        <source>check a server before making a workspace, or what the server of one has lost</source>
        <translation>verifica um servidor antes de criar um espaço de trabalho, ou o que o servidor de um perdeu</translation>
    </message>
    <message>
        <source>show or set who may invite and share in a workspace, and its limits</source>
        <translation>mostra ou define quem pode convidar e compartilhar em um espaço de trabalho, e os limites dele</translation>
    </message>
    <message>
        <source>what an owner of the workspace sets</source>
        <translation>o que um proprietário do espaço de trabalho define</translation>
    </message>
    <message>
        <source>parked: this profile was restored, repaired or copied, and is not connected</source>
        <translation>estacionado: este perfil foi restaurado, reparado ou copiado e não está conectado</translation>
    </message>
    <message>
        <source>&apos;chatdesk team join&apos; connects again</source>
        <translation>&apos;chatdesk team join&apos; conecta novamente</translation>
    </message>
    <message>
        <source>member</source>
        <translation>membro</translation>
    </message>
    <message numerus="yes">
        <source>{count} shared</source>
        <comment>{count} shared</comment>
        <translation>
            <numerusform>{count} compartilhado</numerusform>
            <numerusform>{count} compartilhados</numerusform>
        </translation>
    </message>
    <message>
        <source>{waiting} waiting, {refused} refused</source>
        <translation>{waiting} em espera, {refused} recusadas</translation>
    </message>
    <message>
        <source>The window lets it go on without them: Settings, Team sync, Details.</source>
        <translation>A janela permite continuar sem eles: Configurações, Sincronização da equipe, Detalhes.</translation>
    </message>
    <message numerus="yes">
        <source>{number} projects</source>
        <comment>{number} project</comment>
        <translation>
            <numerusform>{number} projeto</numerusform>
            <numerusform>{number} projetos</numerusform>
        </translation>
    </message>
    <message>
        <source>list the members, as the server has them now</source>
        <translation>listar os membros, como o servidor os tem agora</translation>
    </message>
    <message>
        <source>name or id of the workspace, if there are several</source>
        <translation>nome ou id do espaço de trabalho, se há vários</translation>
    </message>
    <message>
        <source>wait for the server at most this long ({seconds})</source>
        <translation>esperar o servidor no máximo este tempo ({seconds})</translation>
    </message>
    <message>
        <source>Only owners erase a project.</source>
        <translation>Só proprietários apagam um projeto.</translation>
    </message>
    <message>
        <source>“{name}” is erased.</source>
        <translation>“{name}” foi apagado.</translation>
    </message>
    <message>
        <source>There is no such workspace in this profile.</source>
        <translation>Não há tal espaço de trabalho neste perfil.</translation>
    </message>
    <message>
        <source>&apos;chatdesk team status&apos; lists them.</source>
        <translation>&apos;chatdesk team status&apos; os lista.</translation>
    </message>
    <message>
        <source>There are several workspaces.</source>
        <translation>Há vários espaços de trabalho.</translation>
    </message>
    <message>
        <source>Name one by its id; &apos;chatdesk team status&apos; lists them.</source>
        <translation>Indique um pelo id; &apos;chatdesk team status&apos; os lista.</translation>
    </message>
    <message>
        <source>Passphrase of the file of keys: </source>
        <translation>Frase secreta do arquivo de chaves: </translation>
    </message>
    <message>
        <source>There is no keyring here. New passphrase for an encrypted file of keys: </source>
        <translation>Não há chaveiro aqui. Nova frase secreta para um arquivo de chaves criptografado: </translation>
    </message>
    <message numerus="yes">
        <source>{count} changes wait</source>
        <comment>{count} change waits</comment>
        <translation>
            <numerusform>{count} alteração espera</numerusform>
            <numerusform>{count} alterações esperam</numerusform>
        </translation>
    </message>
    <message>
        <source>No passphrase was given.</source>
        <translation>Nenhuma frase secreta foi informada.</translation>
    </message>
    <message>
        <source>Type it when you are asked, give it as the next line of stdin, or set {variable}.</source>
        <translation>Digite-a quando for pedida, informe-a como a próxima linha da entrada padrão ou defina {variable}.</translation>
    </message>
    <message>
        <source>make a workspace in an empty database</source>
        <translation>criar um espaço de trabalho em um banco de dados vazio</translation>
    </message>
    <message>
        <source>name of the workspace</source>
        <translation>nome do espaço de trabalho</translation>
    </message>
    <message>
        <source>your name, as the others see it</source>
        <translation>seu nome, como os outros o veem</translation>
    </message>
    <message>
        <source>print an invitation</source>
        <translation>exibir um convite</translation>
    </message>
    <message>
        <source>name of the person</source>
        <translation>nome da pessoa</translation>
    </message>
    <message>
        <source>valid for N days (7)</source>
        <translation>válido por N dias (7)</translation>
    </message>
    <message>
        <source>stop being a member, on all computers</source>
        <translation>deixar de ser membro, em todos os computadores</translation>
    </message>
    <message>
        <source>upgrade the database of a workspace</source>
        <translation>atualiza o banco de dados de um espaço de trabalho</translation>
    </message>
    <message>
        <source>the login that set the database up</source>
        <translation>o usuário com o qual o banco de dados foi preparado</translation>
    </message>
    <message>
        <source>read a password and print the form in which Postgres stores it</source>
        <translation>ler uma senha e exibir a forma em que o Postgres a guarda</translation>
    </message>
    <message>
        <source>The workspace {name} was made. You are its owner.</source>
        <translation>O espaço de trabalho {name} foi criado. Você é seu proprietário.</translation>
    </message>
    <message>
        <source>The invitation is in {file}. Anyone who has it can join.</source>
        <translation>O convite está em {file}. Quem o tiver pode entrar.</translation>
    </message>
    <message>
        <source>Passphrase: </source>
        <translation>Frase secreta: </translation>
    </message>
    <message>
        <source>You are in the workspace {name} now.</source>
        <translation>Você está agora no espaço de trabalho {name}.</translation>
    </message>
    <message>
        <source>Leave {name}? Its projects stay here as private copies.</source>
        <translation>Sair de {name}? Seus projetos ficam aqui como cópias privadas.</translation>
    </message>
    <message>
        <source>You left {name}.</source>
        <translation>Você saiu de {name}.</translation>
    </message>
    <message>
        <source>Connect to {name}, the database {database} on {host}:{port}?</source>
        <translation>Conectar a {name}, o banco de dados {database} em {host}:{port}?</translation>
    </message>
    <message>
        <source>You are in {name} again.</source>
        <translation>Você está em {name} de novo.</translation>
    </message>
    <message>
        <source>shared project, and the role in it: viewer, editor, admin or owner; may be repeated</source>
        <translation>projeto compartilhado e o papel nele: viewer, editor, admin ou owner; pode ser repetido</translation>
    </message>
    <message>
        <source>write the invitation to this file instead of printing it</source>
        <translation>gravar o convite neste arquivo em vez de exibi-lo</translation>
    </message>
    <message>
        <source>join with an invitation, or with a code from another computer of yours</source>
        <translation>entrar com um convite, ou com um código de outro computador seu</translation>
    </message>
    <message>
        <source>accept a server without encryption</source>
        <translation>aceitar um servidor sem criptografia</translation>
    </message>
    <message>
        <source>stop syncing; everything stays on this computer</source>
        <translation>parar de sincronizar; tudo fica neste computador</translation>
    </message>
    <message>
        <source>print a code for another computer of yours</source>
        <translation>exibir um código para outro computador seu</translation>
    </message>
    <message>
        <source>write the code to this file instead of printing it</source>
        <translation>gravar o código neste arquivo em vez de exibi-lo</translation>
    </message>
    <message>
        <source>login that owns the database and may create roles</source>
        <translation>login que é dono do banco de dados e pode criar papéis</translation>
    </message>
    <message>
        <source>address of the server, as postgresql://login@host:5432/database</source>
        <translation>endereço do servidor, como postgresql://login@host:5432/database</translation>
    </message>
    <message>
        <source>file with the invitation or the code; - reads it from stdin. Without it, a parked team is joined again</source>
        <translation>arquivo com o convite ou o código; - lê de stdin. Sem ele, entra-se de novo em uma equipe estacionada</translation>
    </message>
    <message>
        <source>name or IP address of the server, instead of --url</source>
        <translation>nome ou endereço IP do servidor, em vez de --url</translation>
    </message>
    <message>
        <source>name of the database</source>
        <translation>nome do banco de dados</translation>
    </message>
    <message>
        <source>certificate of the server&apos;s authority, if it is a private one</source>
        <translation>certificado da autoridade do servidor, se ela é privada</translation>
    </message>
    <message>
        <source>connect without encryption; only for a network of your own</source>
        <translation>conectar sem criptografia; só para uma rede própria</translation>
    </message>
    <message>
        <source>for {name}; it works once, and anyone who has it can join</source>
        <translation>para {name}; vale uma vez, e quem o tiver pode entrar</translation>
    </message>
    <message>
        <source>its passphrase is {passphrase}; both are valid for a day</source>
        <translation>sua frase secreta é {passphrase}; os dois valem por um dia</translation>
    </message>
    <message>
        <source>The database of {name} is up to date.</source>
        <translation>O banco de dados de {name} está atualizado.</translation>
    </message>
    <message>
        <source>Password of {user}: </source>
        <translation>Senha de {user}: </translation>
    </message>
    <message>
        <source>Password: </source>
        <translation>Senha: </translation>
    </message>
    <message>
        <source>The others see you as {name}.</source>
        <translation>Os outros veem você como {name}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} shared projects are called “{name}”.</source>
        <comment>{count} shared project is called “{name}”.</comment>
        <translation>
            <numerusform>{count} projeto compartilhado se chama “{name}”.</numerusform>
            <numerusform>{count} projetos compartilhados se chamam “{name}”.</numerusform>
        </translation>
    </message>
    <message>
        <source>No shared project is called “{name}”.</source>
        <translation>Nenhum projeto compartilhado se chama “{name}”.</translation>
    </message>
    <message>
        <source>Nobody was invited.</source>
        <translation>Ninguém foi convidado.</translation>
    </message>
    <message>
        <source>Share it first (&apos;chatdesk team share&apos;), or give its id.</source>
        <translation>Compartilhe-o antes (&apos;chatdesk team share&apos;) ou indique seu id.</translation>
    </message>
    <message>
        <source>“{given}” is not a limit with its value.</source>
        <translation>“{given}” não é um limite com o valor dele.</translation>
    </message>
    <message>
        <source>Use NAME=VALUE with one of these names: {names}.</source>
        <translation>Use NOME=VALOR com um destes nomes: {names}.</translation>
    </message>
    <message>
        <source>“{role}” is not a role.</source>
        <translation>“{role}” não é um papel.</translation>
    </message>
    <message>
        <source>Use viewer, editor, admin or owner.</source>
        <translation>Use viewer, editor, admin ou owner.</translation>
    </message>
    <message>
        <source>Do not put a password into the arguments: everybody on this computer can see them.</source>
        <translation>Não ponha uma senha nos argumentos: todos neste computador podem vê-los.</translation>
    </message>
    <message>
        <source>Nothing was sent.</source>
        <translation>Nada foi enviado.</translation>
    </message>
    <message>
        <source>Change that password, since others may have seen it, and give the new one on stdin or in {variable}.</source>
        <translation>Troque essa senha, pois outros podem tê-la visto, e informe a nova em stdin ou em {variable}.</translation>
    </message>
    <message>
        <source>{name} is not a certificate in PEM form.</source>
        <translation>{name} não é um certificado no formato PEM.</translation>
    </message>
    <message>
        <source>{path}: {reason}.</source>
        <translation>{path}: {reason}.</translation>
    </message>
    <message>
        <source>Check the name of the file.</source>
        <translation>Verifique o nome do arquivo.</translation>
    </message>
    <message>
        <source>share a project with a workspace</source>
        <translation>compartilhar um projeto com um espaço de trabalho</translation>
    </message>
    <message>
        <source>send waiting changes and fetch those of others</source>
        <translation>enviar as alterações em espera e buscar as dos outros</translation>
    </message>
    <message>
        <source>Share “{project}” ({threads}, {messages}) with {workspace}? What is sent cannot be taken back from those who have read it.</source>
        <translation>Compartilhar “{project}” ({threads}, {messages}) com {workspace}? O que é enviado não pode ser retirado de quem já leu.</translation>
    </message>
    <message>
        <source>“{name}” is the project into which new threads go: what you ask from now on without naming another project is shared, too.</source>
        <translation>“{name}” é o projeto para onde vão as novas conversas: o que você perguntar de agora em diante sem indicar outro projeto também é compartilhado.</translation>
    </message>
    <message>
        <source>“{project}” is shared with {workspace}.</source>
        <translation>“{project}” é compartilhado com {workspace}.</translation>
    </message>
    <message>
        <source>This is a private copy.</source>
        <translation>Esta é uma cópia privada.</translation>
    </message>
    <message>
        <source>is up to date</source>
        <translation>está atualizado</translation>
    </message>
    <message>
        <source>{state}, {count} refused (&apos;chatdesk team status&apos; lists them)</source>
        <translation>{state}, {count} recusados (&apos;chatdesk team status&apos; os lista)</translation>
    </message>
    <message>
        <source>{workspace}: {state}.</source>
        <translation>{workspace}: {state}.</translation>
    </message>
    <message>
        <source>The team has not got it yet: {problem} It waits here; &apos;chatdesk team sync&apos; sends it.</source>
        <translation>A equipe ainda não recebeu: {problem} Espera aqui; &apos;chatdesk team sync&apos; envia.</translation>
    </message>
    <message>
        <source>The team has not got it yet. It waits here; &apos;chatdesk team sync&apos; sends it.</source>
        <translation>A equipe ainda não recebeu. Espera aqui; &apos;chatdesk team sync&apos; envia.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes wait here.</source>
        <comment>{count} change waits here.</comment>
        <translation>
            <numerusform>{count} alteração espera aqui.</numerusform>
            <numerusform>{count} alterações esperam aqui.</numerusform>
        </translation>
    </message>
    <message>
        <source>&apos;chatdesk team sync&apos; continues.</source>
        <translation>&apos;chatdesk team sync&apos; continua.</translation>
    </message>
    <message>
        <source>This project is not shared.</source>
        <translation>Este projeto não é compartilhado.</translation>
    </message>
    <message>
        <source>list projects, or make one</source>
        <translation>listar projetos ou criar um</translation>
    </message>
    <message>
        <source>make a project and print its id</source>
        <translation>criar um projeto e mostrar seu id</translation>
    </message>
    <message>
        <source>name of the project</source>
        <translation>nome do projeto</translation>
    </message>
    <message>
        <source>list threads, latest first</source>
        <translation>listar conversas, a mais recente primeiro</translation>
    </message>
    <message>
        <source>list archived threads</source>
        <translation>listar conversas arquivadas</translation>
    </message>
    <message>
        <source>list threads in the trash</source>
        <translation>listar conversas na lixeira</translation>
    </message>
    <message>
        <source>list threads of this project</source>
        <translation>listar conversas deste projeto</translation>
    </message>
    <message>
        <source>list threads with this tag</source>
        <translation>listar conversas com esta etiqueta</translation>
    </message>
    <message>
        <source>at most N threads (50)</source>
        <translation>no máximo N conversas (50)</translation>
    </message>
    <message>
        <source>print a thread</source>
        <translation>exibir uma conversa</translation>
    </message>
    <message>
        <source>(archived)</source>
        <translation>(arquivada)</translation>
    </message>
    <message>
        <source>ChatDesk is open and keeps the projects.</source>
        <translation>O ChatDesk está aberto e mantém os projetos.</translation>
    </message>
    <message>
        <source>Make the project there, or close ChatDesk first.</source>
        <translation>Crie o projeto lá ou feche o ChatDesk antes.</translation>
    </message>
    <message>
        <source>There is no tag “{tag}”.</source>
        <translation>Não há etiqueta “{tag}”.</translation>
    </message>
    <message>
        <source>Check its name in the window.</source>
        <translation>Verifique seu nome na janela.</translation>
    </message>
    <message>
        <source>There are no threads here yet.</source>
        <translation>Ainda não há conversas aqui.</translation>
    </message>
    <message>
        <source>“{wanted}” is not the beginning of a thread&apos;s id.</source>
        <translation>“{wanted}” não é o começo do id de uma conversa.</translation>
    </message>
    <message>
        <source>Give at least {count} of its characters; &apos;chatdesk threads&apos; lists them.</source>
        <translation>Indique pelo menos {count} de seus caracteres; &apos;chatdesk threads&apos; as lista.</translation>
    </message>
    <message>
        <source>No thread&apos;s id begins with {prefix}.</source>
        <translation>Nenhum id de conversa começa com {prefix}.</translation>
    </message>
    <message>
        <source>&apos;chatdesk threads&apos; lists them.</source>
        <translation>&apos;chatdesk threads&apos; as lista.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads have ids that begin with {prefix}.</source>
        <comment>{count} thread has an id that begins with {prefix}.</comment>
        <translation>
            <numerusform>{count} conversa tem um id que começa com {prefix}.</numerusform>
            <numerusform>{count} conversas têm ids que começam com {prefix}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Give more of the id.</source>
        <translation>Indique mais do id.</translation>
    </message>
    <message>
        <source>it must be a whole number, at least 1</source>
        <translation>deve ser um número inteiro, pelo menos 1</translation>
    </message>
    <message>
        <source>See &apos;chatdesk projects&apos;.</source>
        <translation>Veja &apos;chatdesk projects&apos;.</translation>
    </message>
    <message numerus="yes">
        <source>{count} projects are called “{name}”: {projects}.</source>
        <comment>{count} project is called “{name}”: {projects}.</comment>
        <translation>
            <numerusform>{count} projeto se chama “{name}”: {projects}.</numerusform>
            <numerusform>{count} projetos se chamam “{name}”: {projects}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Give the id of one.</source>
        <translation>Indique o id de um.</translation>
    </message>
    <message>
        <source>No project is called “{name}”.</source>
        <translation>Nenhum projeto se chama “{name}”.</translation>
    </message>
    <message>
        <source>No project that is shared is called “{name}”.</source>
        <translation>Nenhum projeto compartilhado se chama “{name}”.</translation>
    </message>
    <message>
        <source>No project that is not shared yet is called “{name}”.</source>
        <translation>Nenhum projeto ainda não compartilhado se chama “{name}”.</translation>
    </message>
    <message>
        <source>switch a server on</source>
        <translation>ligar um servidor</translation>
    </message>
    <message>
        <source>switch a server off</source>
        <translation>desligar um servidor</translation>
    </message>
    <message>
        <source>sign in to a server over HTTP, in your browser</source>
        <translation>entrar em um servidor por HTTP, no seu navegador</translation>
    </message>
    <message>
        <source>start servers and list their tools, step by step</source>
        <translation>iniciar servidores e listar suas ferramentas, passo a passo</translation>
    </message>
    <message>
        <source>environment variable whose value is kept in the keyring and given to the server; may be repeated</source>
        <translation>variável de ambiente cujo valor fica no chaveiro e é dado ao servidor; pode ser repetida</translation>
    </message>
    <message>
        <source>remove a server</source>
        <translation>remover um servidor</translation>
    </message>
    <message>
        <source>sign out of a server</source>
        <translation>sair de um servidor</translation>
    </message>
    <message>
        <source>set up the servers whose tools models may use</source>
        <translation>configurar os servidores cujas ferramentas os modelos podem usar</translation>
    </message>
    <message>
        <source>list the servers, and whether they are on</source>
        <translation>listar os servidores e se estão ligados</translation>
    </message>
    <message>
        <source>add a server; put options before its name</source>
        <translation>adicionar um servidor; ponha as opções antes do nome dele</translation>
    </message>
    <message>
        <source>name of the server</source>
        <translation>nome do servidor</translation>
    </message>
    <message>
        <source>program to run, with its arguments</source>
        <translation>programa a executar, com seus argumentos</translation>
    </message>
    <message>
        <source>address of the server, if it is reached over HTTP</source>
        <translation>endereço do servidor, se ele é acessado por HTTP</translation>
    </message>
    <message>
        <source>id of the OAuth client that you registered for the address</source>
        <translation>id do cliente OAuth que você registrou para o endereço</translation>
    </message>
    <message>
        <source>environment variable that holds the client&apos;s secret</source>
        <translation>variável de ambiente que contém o segredo do cliente</translation>
    </message>
    <message>
        <source>folder in which the program runs (by default an empty one)</source>
        <translation>pasta em que o programa é executado (por padrão, uma vazia)</translation>
    </message>
    <message>
        <source>add servers from the JSON settings of another program</source>
        <translation>adicionar servidores das configurações JSON de outro programa</translation>
    </message>
    <message>
        <source>file with the JSON; - reads it from stdin</source>
        <translation>arquivo com o JSON; - o lê de stdin</translation>
    </message>
    <message>
        <source>id of the server (by default all that are on)</source>
        <translation>id do servidor (por padrão, todos os que estão ligados)</translation>
    </message>
    <message>
        <source>id of the server</source>
        <translation>id do servidor</translation>
    </message>
    <message>
        <source>list what tools may do without asking again</source>
        <translation>listar o que as ferramentas podem fazer sem perguntar de novo</translation>
    </message>
    <message>
        <source>take back permissions of a server&apos;s tools</source>
        <translation>retirar permissões das ferramentas de um servidor</translation>
    </message>
    <message>
        <source>name of the tool (by default all tools of the server)</source>
        <translation>nome da ferramenta (por padrão, todas as do servidor)</translation>
    </message>
    <message>
        <source>show or set the folder in which tools work for a project</source>
        <translation>mostrar ou definir a pasta em que as ferramentas trabalham para um projeto</translation>
    </message>
    <message>
        <source>folder to set; without it, the current one is shown</source>
        <translation>pasta a definir; sem ela, a atual é mostrada</translation>
    </message>
    <message>
        <source>remove the folder from the project</source>
        <translation>remover a pasta do projeto</translation>
    </message>
    <message>
        <source>ChatDesk is open and keeps the tool servers.</source>
        <translation>O ChatDesk está aberto e mantém os servidores de ferramentas.</translation>
    </message>
    <message>
        <source>Change them in Settings, Tools, or close ChatDesk first.</source>
        <translation>Altere-os em Configurações, Ferramentas, ou feche o ChatDesk antes.</translation>
    </message>
    <message>
        <source>on</source>
        <translation>ligado</translation>
    </message>
    <message>
        <source>off</source>
        <translation>desligado</translation>
    </message>
    <message>
        <source>A server has either an address or a command.</source>
        <translation>Um servidor tem ou um endereço ou um comando.</translation>
    </message>
    <message>
        <source>Write: add --address URL NAME, or: add NAME COMMAND ARGUMENTS.</source>
        <translation>Escreva: add --address URL NAME, ou: add NAME COMMAND ARGUMENTS.</translation>
    </message>
    <message>
        <source>The variable {first} is not set here.</source>
        <translation>A variável {first} não está definida aqui.</translation>
    </message>
    <message>
        <source>{name}: {field} is still to be filled in.</source>
        <translation>{name}: {field} ainda precisa ser preenchido.</translation>
    </message>
    <message>
        <source>They are off until you switch them on: chatdesk tools on SERVER.</source>
        <translation>Ficam desligados até você ligá-los: chatdesk tools on SERVER.</translation>
    </message>
    <message>
        <source>There was no such permission.</source>
        <translation>Não havia essa permissão.</translation>
    </message>
    <message>
        <source>ok</source>
        <translation>ok</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>falhou</translation>
    </message>
    <message>
        <source>Sign in to {name} in your browser. If no page opens, open this one:</source>
        <translation>Entre em {name} no seu navegador. Se nenhuma página se abrir, abra esta:</translation>
    </message>
    <message>
        <source>Signed in.</source>
        <translation>Você entrou.</translation>
    </message>
    <message>
        <source>{name} did not ask you to sign in.</source>
        <translation>{name} não pediu que você entrasse.</translation>
    </message>
    <message>
        <source>Signed out, here and at the server.</source>
        <translation>Você saiu, aqui e no servidor.</translation>
    </message>
    <message>
        <source>Signed out on this computer. The server was not told, or cannot withdraw the sign-in.</source>
        <translation>Você saiu neste computador. O servidor não foi avisado ou não pode retirar o acesso.</translation>
    </message>
    <message>
        <source>There is no tool server “{name}”.</source>
        <translation>Não há servidor de ferramentas “{name}”.</translation>
    </message>
    <message>
        <source>See chatdesk tools list.</source>
        <translation>Veja chatdesk tools list.</translation>
    </message>
    <message>
        <source>comes with ChatDesk</source>
        <translation>vem com o ChatDesk</translation>
    </message>
    <message>
        <source>{place} could not be read.</source>
        <translation>{place} não pôde ser lido.</translation>
    </message>
    <message>
        <source>address of SearXNG</source>
        <translation>endereço do SearXNG</translation>
    </message>
    <message>
        <source>The variable {key} is not set here.</source>
        <translation>A variável {key} não está definida aqui.</translation>
    </message>
    <message>
        <source>show or set the search engine that models use for the web</source>
        <translation>mostrar ou definir o mecanismo com que os modelos buscam na web</translation>
    </message>
    <message>
        <source>environment variable that holds the key</source>
        <translation>variável de ambiente que contém a chave</translation>
    </message>
    <message>
        <source>test the engine step by step; an ENGINE that is given is tested without being set</source>
        <translation>testar o mecanismo passo a passo; um ENGINE informado é testado sem ser definido</translation>
    </message>
    <message>
        <source>remove the stored key of the engine</source>
        <translation>remover a chave guardada do mecanismo</translation>
    </message>
    <message>
        <source>print a JSON object, or with --test an array of its steps</source>
        <translation>exibir um objeto JSON ou, com --test, uma lista dos passos</translation>
    </message>
    <message>
        <source>Name the engine whose key should be removed.</source>
        <translation>Diga de qual mecanismo a chave deve ser removida.</translation>
    </message>
    <message>
        <source>with a key</source>
        <translation>com chave</translation>
    </message>
    <message>
        <source>without a key</source>
        <translation>sem chave</translation>
    </message>
    <message>
        <source>No search engine is chosen.</source>
        <translation>Nenhum mecanismo de busca está escolhido.</translation>
    </message>
    <message>
        <source>Name one to test it.</source>
        <translation>Indique um para testá-lo.</translation>
    </message>
    <message>
        <source>Left out: an answer has at most {most_in_message} pictures.</source>
        <translation>Deixada de fora: uma resposta tem no máximo {most_in_message} imagens.</translation>
    </message>
    <message>
        <source>Not kept: {reason}</source>
        <translation>Não guardado: {reason}</translation>
    </message>
    <message>
        <source>The pictures of this answer are larger than {most_bytes} MB together.</source>
        <translation>As imagens desta resposta têm juntas mais de {most_bytes} MB.</translation>
    </message>
    <message>
        <source>It is not a picture that can be shown.</source>
        <translation>Não é uma imagem que possa ser mostrada.</translation>
    </message>
    <message>
        <source>The picture is damaged.</source>
        <translation>A imagem está danificada.</translation>
    </message>
    <message>
        <source>The picture is empty.</source>
        <translation>A imagem está vazia.</translation>
    </message>
    <message>
        <source>Remove some and send them with the next message, or raise the limit in Settings, Usage and limits.</source>
        <translation>Remova alguns e envie-os com a próxima mensagem, ou aumente o limite em Configurações, Uso e limites.</translation>
    </message>
    <message>
        <source>Choose another file, or change the kinds in Settings, Usage and limits.</source>
        <translation>Escolha outro arquivo ou altere os tipos em Configurações, Uso e limites.</translation>
    </message>
    <message>
        <source>Your text and the attachments are kept.</source>
        <translation>Seu texto e os anexos foram mantidos.</translation>
    </message>
    <message>
        <source>“{name}” is of a kind that may not be attached: {mime}.</source>
        <translation>“{name}” é de um tipo que não pode ser anexado: {mime}.</translation>
    </message>
    <message>
        <source>A message can have at most {number} files; there are {attachments}.</source>
        <translation>Uma mensagem pode ter no máximo {number} arquivos; há {attachments}.</translation>
    </message>
    <message>
        <source>The files of one message can have at most {limit} together; these have {total}.</source>
        <translation>Os arquivos de uma mensagem podem ter juntos no máximo {limit}; estes têm {total}.</translation>
    </message>
    <message>
        <source>With “{name}”, the files attached today would have {total}; the limit for a day is {limit}.</source>
        <translation>Com “{name}”, os arquivos anexados hoje teriam {total}; o limite de um dia é {limit}.</translation>
    </message>
    <message>
        <source>Your text and the other attachments are kept.</source>
        <translation>Seu texto e os outros anexos foram mantidos.</translation>
    </message>
    <message>
        <source>Attach it tomorrow, or raise the limit in Settings, Usage and limits.</source>
        <translation>Anexe-o amanhã ou aumente o limite em Configurações, Uso e limites.</translation>
    </message>
    <message>
        <source>A message can have {number} files; {number_2} were left out.</source>
        <translation>Uma mensagem pode ter {number} arquivos; {number_2} ficaram de fora.</translation>
    </message>
    <message>
        <source>The attached file is no longer there.</source>
        <translation>O arquivo anexado não está mais lá.</translation>
    </message>
    <message>
        <source>The attached file is larger than it was.</source>
        <translation>O arquivo anexado está maior do que era.</translation>
    </message>
    <message>
        <source>That is not the checksum of a file.</source>
        <translation>Isso não é a soma de verificação de um arquivo.</translation>
    </message>
    <message>
        <source>The file could not be stored with your messages: {reason}.</source>
        <translation>Não foi possível guardar o arquivo com as suas mensagens: {reason}.</translation>
    </message>
    <message>
        <source>Make room on the disk or choose another data directory, then attach it again.</source>
        <translation>Libere espaço no disco ou escolha outro diretório de dados e anexe-o de novo.</translation>
    </message>
    <message>
        <source>It needs too much time or memory to be read.</source>
        <translation>Exige tempo ou memória demais para ser lido.</translation>
    </message>
    <message>
        <source>It is damaged.</source>
        <translation>Está danificado.</translation>
    </message>
    <message>
        <source>It has more than {most_pixels} million pixels.</source>
        <translation>Tem mais de {most_pixels} milhões de pixels.</translation>
    </message>
    <message>
        <source>It is damaged, or not an image that can be shown.</source>
        <translation>Está danificada ou não é uma imagem que possa ser mostrada.</translation>
    </message>
    <message>
        <source>“{name}” is empty.</source>
        <translation>“{name}” está vazio.</translation>
    </message>
    <message>
        <source>Attach a file that is not empty.</source>
        <translation>Anexe um arquivo que não esteja vazio.</translation>
    </message>
    <message>
        <source>The image “{name}” cannot be attached. {reason}</source>
        <translation>A imagem “{name}” não pode ser anexada. {reason}</translation>
    </message>
    <message>
        <source>Save it again with a drawing program, smaller if need be, and attach that.</source>
        <translation>Salve-a de novo com um programa de desenho, menor se preciso, e anexe-a.</translation>
    </message>
    <message>
        <source>“{name}” is not there.</source>
        <translation>“{name}” não está lá.</translation>
    </message>
    <message>
        <source>“{name}” is not a file that can be read.</source>
        <translation>“{name}” não é um arquivo que possa ser lido.</translation>
    </message>
    <message>
        <source>“{name}” is a folder.</source>
        <translation>“{name}” é uma pasta.</translation>
    </message>
    <message>
        <source>Attach the files in it.</source>
        <translation>Anexe os arquivos dela.</translation>
    </message>
    <message>
        <source>its name or place is not valid</source>
        <translation>o nome ou o lugar não é válido</translation>
    </message>
    <message>
        <source>“{name}” cannot be read: {reason}.</source>
        <translation>“{name}” não pode ser lido: {reason}.</translation>
    </message>
    <message>
        <source>Check the file, then attach it again.</source>
        <translation>Verifique o arquivo e anexe-o de novo.</translation>
    </message>
    <message>
        <source>It needs too much memory.</source>
        <translation>Exige memória demais.</translation>
    </message>
    <message>
        <source>It is damaged and cannot be read.</source>
        <translation>Está danificado e não pode ser lido.</translation>
    </message>
    <message>
        <source>What {who} has there is not an image that can be shown.</source>
        <translation>O que {who} tem ali não é uma imagem que possa ser mostrada.</translation>
    </message>
    <message>
        <source>The image could not be loaded.</source>
        <translation>A imagem não pôde ser carregada.</translation>
    </message>
    <message>
        <source>The image is on another server: {host}.</source>
        <translation>A imagem está em outro servidor: {host}.</translation>
    </message>
    <message>
        <source>{host} is in your own network.</source>
        <translation>{host} está na sua própria rede.</translation>
    </message>
    <message>
        <source>Shown by ChatDesk, once. Scripts and links are off; nothing is loaded or sent.</source>
        <translation>Mostrada pelo ChatDesk, uma vez. Scripts e links estão desligados; nada é carregado ou enviado.</translation>
    </message>
    <message>
        <source>This page is empty.</source>
        <translation>Esta página está vazia.</translation>
    </message>
    <message>
        <source>Nothing was opened.</source>
        <translation>Nada foi aberto.</translation>
    </message>
    <message>
        <source>This page is larger than {most_bytes} MB.</source>
        <translation>Esta página tem mais de {most_bytes} MB.</translation>
    </message>
    <message>
        <source>Save it as a file instead.</source>
        <translation>Salve-a como arquivo.</translation>
    </message>
    <message>
        <source>Files of this kind have no text that can be read.</source>
        <translation>Arquivos deste tipo não têm texto que possa ser lido.</translation>
    </message>
    <message>
        <source>There is no text in it.</source>
        <translation>Não há texto nele.</translation>
    </message>
    <message>
        <source>A program for text recognition, such as OCRmyPDF, makes a copy of it that can be read.</source>
        <translation>Um programa de reconhecimento de texto, como o OCRmyPDF, faz uma cópia que pode ser lida.</translation>
    </message>
    <message>
        <source>It is long; its first {cut} characters are read.</source>
        <translation>É longo; os primeiros {cut} caracteres são lidos.</translation>
    </message>
    <message>
        <source>It does not say how its characters are encoded. Read as {encoding}: “{sample}”.</source>
        <translation>O arquivo não diz como seus caracteres estão codificados. Lido como {encoding}: “{sample}”.</translation>
    </message>
    <message>
        <source>It is protected by a password.</source>
        <translation>Está protegido por uma senha.</translation>
    </message>
    <message>
        <source>No text can be read from it; it may hold scanned pages.</source>
        <translation>Nenhum texto pode ser lido dele; talvez contenha páginas digitalizadas.</translation>
    </message>
    <message>
        <source>It is long; {read} of its {total} pages are read.</source>
        <translation>É longo; {read} de suas {total} páginas são lidas.</translation>
    </message>
    <message>
        <source>{damaged} of its {total} pages cannot be read.</source>
        <translation>{damaged} de suas {total} páginas não podem ser lidas.</translation>
    </message>
    <message>
        <source>{scanned} of its {total} pages are pictures.</source>
        <translation>{scanned} de suas {total} páginas são imagens.</translation>
    </message>
    <message>
        <source>The virus scanner found something in the file.</source>
        <translation>O antivírus encontrou algo no arquivo.</translation>
    </message>
    <message>
        <source>The file was kept out; your text and the other attachments are kept.</source>
        <translation>O arquivo não foi aceito; seu texto e os outros anexos foram mantidos.</translation>
    </message>
    <message>
        <source>Do not open the file. If you trust it, ask whoever looks after the scanner.</source>
        <translation>Não abra o arquivo. Se confia nele, pergunte a quem cuida do antivírus.</translation>
    </message>
    <message>
        <source>The virus scanner does not answer, so the file was kept out.</source>
        <translation>O antivírus não responde, então o arquivo não foi aceito.</translation>
    </message>
    <message>
        <source>Start the scanner, or change the scanner or what happens without it in Settings, Data and backup.</source>
        <translation>Inicie o antivírus, ou altere o antivírus ou o que acontece sem ele em Configurações, Dados e backup.</translation>
    </message>
    <message>
        <source>Nothing was sent there. The file was kept out; your text and the other attachments are kept.</source>
        <translation>Nada foi enviado para lá. O arquivo não foi aceito; seu texto e os outros anexos são mantidos.</translation>
    </message>
    <message>
        <source>Enter the scanner anew in Settings, Data and backup, or set {variable} to its address.</source>
        <translation>Informe o antivírus de novo em Configurações, Dados e backup, ou defina {variable} com o endereço dele.</translation>
    </message>
    <message>
        <source>The settings in this data directory, which may be somebody else&apos;s, name a virus scanner on another computer: {address}.</source>
        <translation>As configurações deste diretório de dados, que pode ser de outra pessoa, indicam um antivírus em outro computador: {address}.</translation>
    </message>
    <message>
        <source>The virus scanner found “{found}” in the file.</source>
        <translation>O antivírus encontrou “{found}” no arquivo.</translation>
    </message>
    <message>
        <source>This is not the address of a web page.</source>
        <translation>Este não é o endereço de uma página da web.</translation>
    </message>
    <message>
        <source>Nothing was fetched.</source>
        <translation>Nada foi buscado.</translation>
    </message>
    <message>
        <source>There is a file of the type {mime} there.</source>
        <translation>Há ali um arquivo do tipo {mime}.</translation>
    </message>
    <message>
        <source>ChatDesk is closing.</source>
        <translation>O ChatDesk está fechando.</translation>
    </message>
    <message>
        <source>This message has no text that could be opened as an artifact.</source>
        <translation>Esta mensagem não tem texto que possa ser aberto como artefato.</translation>
    </message>
    <message>
        <source>The version is unchanged.</source>
        <translation>A versão está como era.</translation>
    </message>
    <message>
        <source>This kind of file is not shown here. Save it, or open it with another program.</source>
        <translation>Este tipo de arquivo não é mostrado aqui. Salve-o ou abra-o com outro programa.</translation>
    </message>
    <message>
        <source>The file is too large to be shown here. Save it, or open it with another program.</source>
        <translation>O arquivo é grande demais para ser mostrado aqui. Salve-o ou abra-o com outro programa.</translation>
    </message>
    <message>
        <source>These versions are too large to be compared here.</source>
        <translation>Estas versões são grandes demais para serem comparadas aqui.</translation>
    </message>
    <message>
        <source>Save both to compare.</source>
        <translation>Salve ambas para comparar.</translation>
    </message>
    <message>
        <source>Nothing can be opened or edited here, because nothing can be written.</source>
        <translation>Nada pode ser aberto ou editado aqui, porque nada pode ser gravado.</translation>
    </message>
    <message>
        <source>The message has {size_bytes} bytes; the limit is {most_bytes} bytes.</source>
        <translation>A mensagem tem {size_bytes} bytes; o limite é {most_bytes} bytes.</translation>
    </message>
    <message>
        <source>The copying was stopped.</source>
        <translation>A cópia foi interrompida.</translation>
    </message>
    <message>
        <source>Nothing can be attached here, because nothing can be written.</source>
        <translation>Nada pode ser anexado aqui, porque nada pode ser gravado.</translation>
    </message>
    <message>
        <source>ChatDesk was closing.</source>
        <translation>O ChatDesk estava fechando.</translation>
    </message>
    <message>
        <source>The file is no longer there.</source>
        <translation>O arquivo não está mais lá.</translation>
    </message>
    <message>
        <source>The page cannot be handed to your browser: {strerror}.</source>
        <translation>A página não pode ser passada ao seu navegador: {strerror}.</translation>
    </message>
    <message>
        <source>The attached file or the folder is no longer there.</source>
        <translation>O arquivo anexado ou a pasta não está mais lá.</translation>
    </message>
    <message>
        <source>Choose another place.</source>
        <translation>Escolha outro lugar.</translation>
    </message>
    <message>
        <source>The file could not be written: {strerror}.</source>
        <translation>O arquivo não pôde ser gravado: {strerror}.</translation>
    </message>
    <message>
        <source>The attached file is unchanged.</source>
        <translation>O arquivo anexado está inalterado.</translation>
    </message>
    <message>
        <source>A page holds 1 to {largest_page} rows.</source>
        <translation>Uma página contém de 1 a {largest_page} linhas.</translation>
    </message>
    <message>
        <source>Summaries cannot be made here.</source>
        <translation>Resumos não podem ser feitos aqui.</translation>
    </message>
    <message>
        <source>A summary needs some text.</source>
        <translation>Um resumo precisa de algum texto.</translation>
    </message>
    <message>
        <source>The old one is kept.</source>
        <translation>O antigo foi mantido.</translation>
    </message>
    <message>
        <source>Or switch it off.</source>
        <translation>Ou desligue-o.</translation>
    </message>
    <message>
        <source>There may be {most_facts} facts of at most {longest_fact} characters.</source>
        <translation>Pode haver {most_facts} fatos de no máximo {longest_fact} caracteres.</translation>
    </message>
    <message>
        <source>The old ones are kept.</source>
        <translation>Os antigos foram mantidos.</translation>
    </message>
    <message>
        <source>{label} takes no {lacking} from other programs.</source>
        <translation>{label} não aceita {lacking} de outros programas.</translation>
    </message>
    <message>
        <source>Choose a provider that speaks chat completions.</source>
        <translation>Escolha um provedor que use chat completions.</translation>
    </message>
    <message>
        <source>A draft cannot be empty.</source>
        <translation>Um rascunho não pode ser vazio.</translation>
    </message>
    <message>
        <source>The thread has another draft, which a person may be writing.</source>
        <translation>A conversa tem outro rascunho, que uma pessoa pode estar escrevendo.</translation>
    </message>
    <message>
        <source>It was not changed.</source>
        <translation>Não foi alterado.</translation>
    </message>
    <message>
        <source>Write the draft into a new thread.</source>
        <translation>Escreva o rascunho em uma nova conversa.</translation>
    </message>
    <message>
        <source>A page holds 1 to {largest_page} rows, not {limit}.</source>
        <translation>Uma página contém de 1 a {largest_page} linhas, não {limit}.</translation>
    </message>
    <message numerus="yes">
        <source>pin {count} threads</source>
        <comment>pin thread</comment>
        <translation>
            <numerusform>fixar conversa</numerusform>
            <numerusform>fixar {count} conversas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>unpin {count} threads</source>
        <comment>unpin thread</comment>
        <translation>
            <numerusform>desafixar conversa</numerusform>
            <numerusform>desafixar {count} conversas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>archive {count} threads</source>
        <comment>archive thread</comment>
        <translation>
            <numerusform>arquivar conversa</numerusform>
            <numerusform>arquivar {count} conversas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>unarchive {count} threads</source>
        <comment>unarchive thread</comment>
        <translation>
            <numerusform>desarquivar conversa</numerusform>
            <numerusform>desarquivar {count} conversas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>move {count} threads</source>
        <comment>move thread</comment>
        <translation>
            <numerusform>mover conversa</numerusform>
            <numerusform>mover {count} conversas</numerusform>
        </translation>
    </message>
    <message>
        <source>That is no note.</source>
        <translation>Essa não é uma nota.</translation>
    </message>
    <message>
        <source>The files of the assistants are larger than {most_file_bytes} MB together.</source>
        <translation>Os arquivos dos assistentes têm juntos mais de {most_file_bytes} MB.</translation>
    </message>
    <message>
        <source>The prompts are unchanged.</source>
        <translation>Os prompts estão inalterados.</translation>
    </message>
    <message>
        <source>Take large files out of the assistants, and attach them to a message instead.</source>
        <translation>Tire arquivos grandes dos assistentes e anexe-os a uma mensagem.</translation>
    </message>
    <message>
        <source>The file could not be read: {strerror}.</source>
        <translation>O arquivo não pôde ser lido: {strerror}.</translation>
    </message>
    <message>
        <source>The file is larger than {largest_file_bytes} MB.</source>
        <translation>O arquivo tem mais de {largest_file_bytes} MB.</translation>
    </message>
    <message>
        <source>The file is no JSON.</source>
        <translation>O arquivo não é JSON.</translation>
    </message>
    <message>
        <source>The file contains no prompts of ChatDesk.</source>
        <translation>O arquivo não contém prompts do ChatDesk.</translation>
    </message>
    <message>
        <source>The file contains no list of prompts, or more than {most_prompts}.</source>
        <translation>O arquivo não contém uma lista de prompts, ou contém mais de {most_prompts}.</translation>
    </message>
    <message>
        <source>The file was written by a newer ChatDesk.</source>
        <translation>O arquivo foi gravado por um ChatDesk mais novo.</translation>
    </message>
    <message>
        <source>Prompt {number} in the file is not one: it needs a kind, a name and a text that is not too long.</source>
        <translation>O prompt {number} no arquivo não é válido: precisa de um tipo, um nome e um texto que não seja longo demais.</translation>
    </message>
    <message>
        <source>Prompt {number} in the file has no list of files, or too many.</source>
        <translation>O prompt {number} no arquivo não tem lista de arquivos, ou tem arquivos demais.</translation>
    </message>
    <message>
        <source>A file of prompt {number} in the file cannot be read.</source>
        <translation>Um arquivo do prompt {number} no arquivo não pode ser lido.</translation>
    </message>
    <message>
        <source>Nothing was added.</source>
        <translation>Nada foi adicionado.</translation>
    </message>
    <message>
        <source>Choose a file that was exported from Prompts.</source>
        <translation>Escolha um arquivo que foi exportado de Prompts.</translation>
    </message>
    <message>
        <source>A prompt needs a text.</source>
        <translation>Um prompt precisa de um texto.</translation>
    </message>
    <message>
        <source>Type what it is to say, or delete it.</source>
        <translation>Digite o que deve dizer ou exclua-o.</translation>
    </message>
    <message>
        <source>The prompt has {text} characters; the most is {longest_text}.</source>
        <translation>O prompt tem {text} caracteres; o máximo é {longest_text}.</translation>
    </message>
    <message>
        <source>Shorten it, or keep the text in a file and attach that.</source>
        <translation>Encurte-o, ou guarde o texto em um arquivo e anexe-o.</translation>
    </message>
    <message>
        <source>Your limit of messages is reached.</source>
        <translation>Seu limite de mensagens foi atingido.</translation>
    </message>
    <message>
        <source>Your limit of messages to this provider is reached.</source>
        <translation>Seu limite de mensagens para este provedor foi atingido.</translation>
    </message>
    <message>
        <source>Your limit of messages in this project is reached.</source>
        <translation>Seu limite de mensagens neste projeto foi atingido.</translation>
    </message>
    <message>
        <source>The provider takes no more requests for now.</source>
        <translation>O provedor não aceita mais solicitações por enquanto.</translation>
    </message>
    <message>
        <source>Ask again later.</source>
        <translation>Pergunte de novo mais tarde.</translation>
    </message>
    <message>
        <source>This message is no longer waiting.</source>
        <translation>Esta mensagem não espera mais.</translation>
    </message>
    <message>
        <source>Between 2 and {most_in_thread} models can be compared.</source>
        <translation>Entre 2 e {most_in_thread} modelos podem ser comparados.</translation>
    </message>
    <message>
        <source>Only questions can be edited here.</source>
        <translation>Só perguntas podem ser editadas aqui.</translation>
    </message>
    <message>
        <source>Regenerate the answer instead.</source>
        <translation>Gere a resposta de novo em vez disso.</translation>
    </message>
    <message>
        <source>There is no question to answer here.</source>
        <translation>Não há pergunta a responder aqui.</translation>
    </message>
    <message>
        <source>This answer is already complete.</source>
        <translation>Esta resposta já está completa.</translation>
    </message>
    <message>
        <source>Regenerate it for another version.</source>
        <translation>Gere-a de novo para obter outra versão.</translation>
    </message>
    <message>
        <source>The system prompt has {text} characters; the most is {longest_text}.</source>
        <translation>O prompt do sistema tem {text} caracteres; o máximo é {longest_text}.</translation>
    </message>
    <message>
        <source>Shorten it.</source>
        <translation>Encurte-o.</translation>
    </message>
    <message>
        <source>There is a temporary chat already.</source>
        <translation>Já há um chat temporário.</translation>
    </message>
    <message>
        <source>Keep it or close it first.</source>
        <translation>Mantenha-o ou feche-o antes.</translation>
    </message>
    <message>
        <source>There is no temporary chat.</source>
        <translation>Não há chat temporário.</translation>
    </message>
    <message>
        <source>This chat was just kept.</source>
        <translation>Este chat acaba de ser mantido.</translation>
    </message>
    <message>
        <source>What you wrote is still there.</source>
        <translation>O que você escreveu ainda está lá.</translation>
    </message>
    <message>
        <source>An answer is still being written, so this chat was not kept yet.</source>
        <translation>Uma resposta ainda está sendo escrita, então este chat ainda não foi mantido.</translation>
    </message>
    <message>
        <source>Wait for its end, or stop it, and keep the chat then.</source>
        <translation>Espere o fim dela, ou pare-a, e então mantenha o chat.</translation>
    </message>
    <message>
        <source>The tool does not take these arguments.</source>
        <translation>A ferramenta não aceita estes argumentos.</translation>
    </message>
    <message>
        <source>Nothing was run.</source>
        <translation>Nada foi executado.</translation>
    </message>
    <message>
        <source>Change them, or deny the call.</source>
        <translation>Altere-os ou negue a chamada.</translation>
    </message>
    <message>
        <source>This call is no longer waiting for an answer.</source>
        <translation>Esta chamada não espera mais por uma resposta.</translation>
    </message>
    <message>
        <source>The server is no longer waiting for this.</source>
        <translation>O servidor não espera mais por isto.</translation>
    </message>
    <message>
        <source>This answer is not offered for this call.</source>
        <translation>Esta resposta não é oferecida para esta chamada.</translation>
    </message>
    <message>
        <source>“{name}” is missing.</source>
        <translation>Falta “{name}”.</translation>
    </message>
    <message>
        <source>There is no “{name}”.</source>
        <translation>Não há “{name}”.</translation>
    </message>
    <message>
        <source>“{name}” is not of the type {map}.</source>
        <translation>“{name}” não é do tipo {map}.</translation>
    </message>
    <message>
        <source>The person did not allow this call. Do not try it again in another way; go on without it, or ask them.</source>
        <translation>A pessoa não permitiu esta chamada. Não tente de novo de outra forma; continue sem ela ou pergunte à pessoa.</translation>
    </message>
    <message>
        <source>There is no tool with this name.</source>
        <translation>Não há ferramenta com este nome.</translation>
    </message>
    <message>
        <source>The arguments are not valid JSON, so the tool was not run. Write them again.</source>
        <translation>Os argumentos não são JSON válido, então a ferramenta não foi executada. Escreva-os de novo.</translation>
    </message>
    <message>
        <source>No arguments came with this call, so the tool was not run. Write them again.</source>
        <translation>Nenhum argumento veio com esta chamada, por isso a ferramenta não foi executada. Escreva-os de novo.</translation>
    </message>
    <message>
        <source>The answer was cut off while this call was written, so the tool was not run.</source>
        <translation>A resposta foi cortada enquanto esta chamada era escrita, então a ferramenta não foi executada.</translation>
    </message>
    <message>
        <source>The limit of this answer was reached, so the tool was not run.</source>
        <translation>O limite desta resposta foi atingido, então a ferramenta não foi executada.</translation>
    </message>
    <message>
        <source>Too many tools were called at once, so this one was not run. Call fewer.</source>
        <translation>Ferramentas demais foram chamadas de uma vez, então esta não foi executada. Chame menos.</translation>
    </message>
    <message>
        <source>“{tool}” is left out of this answer: {provider} refuses its description.</source>
        <translation>“{tool}” fica fora desta resposta: {provider} recusa a descrição.</translation>
    </message>
    <message>
        <source>No further tools can be called for this answer. Answer with what you have.</source>
        <translation>Nenhuma outra ferramenta pode ser chamada para esta resposta. Responda com o que você tem.</translation>
    </message>
    <message>
        <source>“{tool}” is left out: its arguments are described in a form that no request can have.</source>
        <translation>“{tool}” fica de fora: seus argumentos são descritos em uma forma que nenhuma solicitação pode ter.</translation>
    </message>
    <message>
        <source>Something unexpected happened in ChatDesk while this tool ran. Nobody knows what it did.</source>
        <translation>Algo inesperado aconteceu no ChatDesk enquanto esta ferramenta era executada. Ninguém sabe o que ela fez.</translation>
    </message>
    <message>
        <source>ChatDesk ended while this ran, so nobody knows what it did. The person does not want it to be run again.</source>
        <translation>O ChatDesk terminou enquanto isto era executado, então ninguém sabe o que fez. A pessoa não quer que seja executado de novo.</translation>
    </message>
    <message>
        <source>ChatDesk ended while this ran. It may have done its work already.</source>
        <translation>O ChatDesk terminou enquanto isto era executado. Pode já ter feito seu trabalho.</translation>
    </message>
    <message>
        <source>This thread has text from outside, such as a tool&apos;s result, a file, an import or a teammate&apos;s words, which may have asked for this.</source>
        <translation>Esta conversa tem texto de fora, como o resultado de uma ferramenta, um arquivo, uma importação ou as palavras de um colega de equipe, que pode ter pedido isto.</translation>
    </message>
    <message numerus="yes">
        <source>{count} tools can be called: about {tokens} tokens with each request.</source>
        <comment>{count} tool can be called: about {tokens} tokens with each request.</comment>
        <translation>
            <numerusform>{count} ferramenta pode ser chamada: cerca de {tokens} tokens com cada solicitação.</numerusform>
            <numerusform>{count} ferramentas podem ser chamadas: cerca de {tokens} tokens com cada solicitação.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{words} {count} tool servers not started yet.</source>
        <comment>{words} {count} tool server not started yet.</comment>
        <translation>
            <numerusform>{words} {count} servidor de ferramentas ainda não iniciado.</numerusform>
            <numerusform>{words} {count} servidores de ferramentas ainda não iniciados.</numerusform>
        </translation>
    </message>
    <message>
        <source>pin into the context</source>
        <translation>fixar no contexto</translation>
    </message>
    <message>
        <source>exclude from the context</source>
        <translation>excluir do contexto</translation>
    </message>
    <message>
        <source>unpin from the context</source>
        <translation>desafixar do contexto</translation>
    </message>
    <message>
        <source>include in the context</source>
        <translation>incluir no contexto</translation>
    </message>
    <message>
        <source>pin the passage</source>
        <translation>fixar o trecho</translation>
    </message>
    <message>
        <source>leave out the passage</source>
        <translation>deixar o trecho de fora</translation>
    </message>
    <message>
        <source>unpin the passage</source>
        <translation>desafixar o trecho</translation>
    </message>
    <message>
        <source>no longer leave out the passage</source>
        <translation>não deixar mais o trecho de fora</translation>
    </message>
    <message>
        <source>rename thread</source>
        <translation>renomear conversa</translation>
    </message>
    <message numerus="yes">
        <source>delete messages</source>
        <comment>delete message</comment>
        <translation>
            <numerusform>excluir mensagem</numerusform>
            <numerusform>excluir mensagens</numerusform>
        </translation>
    </message>
    <message>
        <source>restore message</source>
        <translation>restaurar mensagem</translation>
    </message>
    <message>
        <source>switch version</source>
        <translation>trocar versão</translation>
    </message>
    <message>
        <source>edit</source>
        <translation>editar</translation>
    </message>
    <message>
        <source>start of the context</source>
        <translation>início do contexto</translation>
    </message>
    <message>
        <source>add note</source>
        <translation>adicionar nota</translation>
    </message>
    <message>
        <source>ask a question</source>
        <translation>fazer uma pergunta</translation>
    </message>
    <message>
        <source>ask for an answer</source>
        <translation>pedir uma resposta</translation>
    </message>
    <message>
        <source>The message has about {scaled} tokens; the model reads {window} at once and {reserved} of them are kept for the answer.</source>
        <translation>A mensagem tem cerca de {scaled} tokens; o modelo lê {window} de uma vez, e {reserved} deles são reservados para a resposta.</translation>
    </message>
    <message>
        <source>The system prompt has about {scaled} tokens and leaves no room for the message: the model reads {window} at once and {reserved} of them are kept for the answer.</source>
        <translation>O prompt do sistema tem cerca de {scaled} tokens e não deixa espaço para a mensagem: o modelo lê {window} de uma vez, e {reserved} deles são reservados para a resposta.</translation>
    </message>
    <message>
        <source>ChatDesk made a mistake while it summarised.</source>
        <translation>O ChatDesk cometeu um erro ao resumir.</translation>
    </message>
    <message>
        <source>The report could not be written to {target}: {reason}.</source>
        <translation>O relatório não pôde ser gravado em {target}: {reason}.</translation>
    </message>
    <message>
        <source>Nothing half-written was left.</source>
        <translation>Nada gravado pela metade foi deixado.</translation>
    </message>
    <message>
        <source>ChatDesk ended unexpectedly.</source>
        <translation>O ChatDesk terminou inesperadamente.</translation>
    </message>
    <message>
        <source>note</source>
        <comment>finding</comment>
        <translation>aviso</translation>
    </message>
    <message>
        <source>problem</source>
        <translation>problema</translation>
    </message>
    <message>
        <source>No answer within {timeout_s} s.</source>
        <translation>Nenhuma resposta em {timeout_s} s.</translation>
    </message>
    <message>
        <source>The check itself failed ({name}).</source>
        <translation>A própria verificação falhou ({name}).</translation>
    </message>
    <message>
        <source>versions</source>
        <translation>versões</translation>
    </message>
    <message>
        <source>ChatDesk {version}, Python {python}</source>
        <translation>ChatDesk {version}, Python {python}</translation>
    </message>
    <message>
        <source>data directory</source>
        <translation>pasta de dados</translation>
    </message>
    <message>
        <source>settings directory</source>
        <translation>pasta de configurações</translation>
    </message>
    <message>
        <source>logs directory</source>
        <translation>pasta de registros</translation>
    </message>
    <message>
        <source>backups directory</source>
        <translation>pasta de backups</translation>
    </message>
    <message>
        <source>{path} is not a directory.</source>
        <translation>{path} não é um diretório.</translation>
    </message>
    <message>
        <source>{path} (made when it is needed)</source>
        <translation>{path} (criado quando for preciso)</translation>
    </message>
    <message>
        <source>{path} cannot be written to. Check its owner and permissions.</source>
        <translation>Não é possível gravar em {path}. Verifique seu dono e suas permissões.</translation>
    </message>
    <message>
        <source>Others can look into {path}. Run: chmod 700 {path}</source>
        <translation>Outros podem ver dentro de {path}. Execute: chmod 700 {path}</translation>
    </message>
    <message>
        <source>Only {free_bytes} MB are free. Free some space soon.</source>
        <translation>Só {free_bytes} MB estão livres. Libere espaço logo.</translation>
    </message>
    <message>
        <source>{free_bytes} MB free</source>
        <translation>{free_bytes} MB livres</translation>
    </message>
    <message>
        <source>disk</source>
        <translation>disco</translation>
    </message>
    <message>
        <source>PySide6 is not installed, so there can be no window.</source>
        <translation>O PySide6 não está instalado, então não pode haver janela.</translation>
    </message>
    <message>
        <source>display</source>
        <translation>tela</translation>
    </message>
    <message>
        <source>the system&apos;s</source>
        <translation>os do sistema</translation>
    </message>
    <message>
        <source>No display here: the window runs unseen, the command line works.</source>
        <translation>Não há tela aqui: a janela funciona sem ser vista, a linha de comando funciona.</translation>
    </message>
    <message numerus="yes">
        <source>Written since, and not in it: {count} messages, in {names}. Export them first to keep them at hand.</source>
        <comment>Written since, and not in it: {count} message, in {names}. Export them first to keep them at hand.</comment>
        <translation>
            <numerusform>Escrita desde então e não contida nele: {count} mensagem, em {names}. Exporte-a antes para tê-la à mão.</numerusform>
            <numerusform>Escritas desde então e não contidas nele: {count} mensagens, em {names}. Exporte-as antes para tê-las à mão.</numerusform>
        </translation>
    </message>
    <message>
        <source>From an older ChatDesk (schema {schema}); it is upgraded at the next start.</source>
        <translation>De um ChatDesk mais antigo (esquema {schema}); é atualizado no próximo início.</translation>
    </message>
    <message numerus="yes">
        <source>{count} attached files are neither in it nor in the data directory.</source>
        <comment>{count} attached file is neither in it nor in the data directory.</comment>
        <translation>
            <numerusform>{count} arquivo anexado não está nele nem no diretório de dados.</numerusform>
            <numerusform>{count} arquivos anexados não estão nele nem no diretório de dados.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} answers had not ended: they stay as interrupted, and nothing is sent.</source>
        <comment>{count} answer had not ended: they stay as interrupted, and nothing is sent.</comment>
        <translation>
            <numerusform>{count} resposta não tinha terminado: fica como interrompida, e nada é enviado.</numerusform>
            <numerusform>{count} respostas não tinham terminado: ficam como interrompidas, e nada é enviado.</numerusform>
        </translation>
    </message>
    <message>
        <source>others</source>
        <translation>outros</translation>
    </message>
    <message>
        <source>Teams: {names}. ChatDesk does not connect to them until you join them again.</source>
        <translation>Equipes: {names}. O ChatDesk não se conecta a elas até você entrar nelas de novo.</translation>
    </message>
    <message>
        <source>Afterwards search fills up again in the background.</source>
        <translation>Depois, a busca se enche de novo em segundo plano.</translation>
    </message>
    <message>
        <source>Exported {threads} to {name}.</source>
        <translation>{threads} exportadas para {name}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} attachments are missing or damaged; the export has only their names: {lost}</source>
        <comment>{count} attachment is missing or damaged; the export has only its name: {lost}</comment>
        <translation>
            <numerusform>{count} anexo falta ou está danificado; a exportação só contém o nome dele: {lost}</numerusform>
            <numerusform>{count} anexos faltam ou estão danificados; a exportação só contém os nomes deles: {lost}</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} attachments are missing or damaged; the export has only their names</source>
        <comment>{count} attachment is missing or damaged; the export has only its name</comment>
        <translation>
            <numerusform>{count} anexo falta ou está danificado; a exportação só contém o nome dele</numerusform>
            <numerusform>{count} anexos faltam ou estão danificados; a exportação só contém os nomes deles</numerusform>
        </translation>
    </message>
    <message>
        <source>new</source>
        <comment>thread</comment>
        <translation>nova</translation>
    </message>
    <message>
        <source>has new messages</source>
        <translation>tem mensagens novas</translation>
    </message>
    <message>
        <source>here already</source>
        <translation>já aqui</translation>
    </message>
    <message>
        <source>in the trash</source>
        <translation>na lixeira</translation>
    </message>
    <message>
        <source>deleted before</source>
        <translation>excluída antes</translation>
    </message>
    <message>
        <source>{server} without a proxy</source>
        <translation>{server} sem proxy</translation>
    </message>
    <message>
        <source>{server} through the proxy {proxy}</source>
        <translation>{server} pelo proxy {proxy}</translation>
    </message>
    <message>
        <source>{server}, trusting a file of certificates ({ca}…)</source>
        <translation>{server}, confiando em um arquivo de certificados ({ca}…)</translation>
    </message>
    <message>
        <source>Send the key of {short} to {server}?</source>
        <translation>Enviar a chave de {short} para {server}?</translation>
    </message>
    <message>
        <source>The variable {variable} names the server of {label}, {server}. Only a key from a variable is sent there, never one that is kept.</source>
        <translation>A variável {variable} indica o servidor de {label}, {server}. Só uma chave de uma variável é enviada para lá, nunca uma que está guardada.</translation>
    </message>
    <message>
        <source>The key of {label} would travel unencrypted to {words}: anybody on the way could read it.</source>
        <translation>A chave de {label} viajaria sem criptografia para {words}: qualquer um no caminho poderia lê-la.</translation>
    </message>
    <message>
        <source>The key of {label} was kept by an earlier ChatDesk, which did not note the server that it is for. It would be sent to {words}.</source>
        <translation>A chave de {label} foi guardada por um ChatDesk anterior, que não anotou o servidor a que ela se destina. Ela seria enviada para {words}.</translation>
    </message>
    <message>
        <source>The key of {label} was given for {words}. It would be sent to {wanted}.</source>
        <translation>A chave de {label} foi dada para {words}. Ela seria enviada para {wanted}.</translation>
    </message>
    <message>
        <source>It would travel unencrypted.</source>
        <translation>Ela viajaria sem criptografia.</translation>
    </message>
    <message>
        <source>Put the key for that server into OPENAI_API_KEY, or remove the variable.</source>
        <translation>Ponha a chave desse servidor em OPENAI_API_KEY, ou remova a variável.</translation>
    </message>
    <message>
        <source>If that is what you want, agree in Settings, Providers, or with &apos;chatdesk providers --agree {provider}&apos;.</source>
        <translation>Se é isso que você quer, consinta em Configurações, Provedores, ou com &apos;chatdesk providers --agree {provider}&apos;.</translation>
    </message>
    <message>
        <source>Agree, or enter the key again.</source>
        <translation>Consinta ou digite a chave de novo.</translation>
    </message>
    <message>
        <source>it must look like 20/min, with s, min, h or day after the stroke</source>
        <translation>deve ser como 20/min, com s, min, h ou day depois da barra</translation>
    </message>
    <message>
        <source>“{unit}” is no period; use s, min, h or day</source>
        <translation>“{unit}” não é um período; use s, min, h ou day</translation>
    </message>
    <message>
        <source>the number of messages must be from 1 to {most_messages}</source>
        <translation>o número de mensagens deve ser de 1 a {most_messages}</translation>
    </message>
    <message>
        <source>the period must be from a second to 30 days</source>
        <translation>o período deve ser de um segundo a 30 dias</translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens</source>
        <comment>{count} token</comment>
        <translation>
            <numerusform>{count} token</numerusform>
            <numerusform>{count} tokens</numerusform>
        </translation>
    </message>
    <message>
        <source>a day</source>
        <translation>um dia</translation>
    </message>
    <message>
        <source>a month</source>
        <translation>um mês</translation>
    </message>
    <message>
        <source>{period} for {label}</source>
        <translation>{period} para {label}</translation>
    </message>
    <message>
        <source>Your messages are kept, and the newest ones are sent as they fit.</source>
        <translation>Suas mensagens foram mantidas, e as mais novas são enviadas conforme couberem.</translation>
    </message>
    <message>
        <source>Summaries and titles are made again tomorrow; the limit is in Settings, Context.</source>
        <translation>Resumos e títulos são feitos de novo amanhã; o limite está em Configurações, Contexto.</translation>
    </message>
    <message>
        <source>Today&apos;s limit of {limit} tokens for summaries and titles is reached ({spent} are used).</source>
        <translation>O limite de hoje de {limit} tokens para resumos e títulos foi atingido ({spent} usados).</translation>
    </message>
    <message>
        <source>Titles and summaries stop at {limit} ({spent} are used).</source>
        <translation>Títulos e resumos param em {limit} ({spent} usados).</translation>
    </message>
    <message>
        <source>They are made again when the limit starts again; it is in Settings, Usage and limits.</source>
        <translation>São feitos de novo quando o limite recomeçar; ele está em Configurações, Uso e limites.</translation>
    </message>
    <message>
        <source>Your question is kept.</source>
        <translation>Sua pergunta foi mantida.</translation>
    </message>
    <message>
        <source>waiting for an answer</source>
        <translation>esperando por uma resposta</translation>
    </message>
    <message>
        <source>This answer has not begun.</source>
        <translation>Esta resposta ainda não começou.</translation>
    </message>
    <message>
        <source>This answer is still being written.</source>
        <translation>Esta resposta ainda está sendo escrita.</translation>
    </message>
    <message>
        <source>This answer was stopped.</source>
        <translation>Esta resposta foi parada.</translation>
    </message>
    <message>
        <source>This answer was interrupted.</source>
        <translation>Esta resposta foi interrompida.</translation>
    </message>
    <message>
        <source>This answer failed.</source>
        <translation>Esta resposta falhou.</translation>
    </message>
    <message>
        <source>A part of this message is damaged. What can be read of it is shown; a backup may have it whole.</source>
        <translation>Uma parte desta mensagem está danificada. O que pode ser lido é mostrado; um backup talvez a tenha inteira.</translation>
    </message>
    <message>
        <source>being written</source>
        <translation>sendo escrita</translation>
    </message>
    <message>
        <source>stopped</source>
        <translation>parada</translation>
    </message>
    <message>
        <source>interrupted</source>
        <translation>interrompida</translation>
    </message>
    <message>
        <source>{name} must be a number.</source>
        <translation>{name} deve ser um número.</translation>
    </message>
    <message>
        <source>{name} must be between 0 and {most}.</source>
        <translation>{name} deve estar entre 0 e {most}.</translation>
    </message>
    <message>
        <source>The length of an answer must be between 1 and {largest_answer} tokens.</source>
        <translation>O comprimento de uma resposta deve estar entre 1 e {largest_answer} tokens.</translation>
    </message>
    <message>
        <source>The reasoning effort must be one of {reasoning_efforts}.</source>
        <translation>O esforço de raciocínio deve ser um destes: {reasoning_efforts}.</translation>
    </message>
    <message>
        <source>There may be at most {most_stop_words} stop words.</source>
        <translation>Pode haver no máximo {most_stop_words} palavras de parada.</translation>
    </message>
    <message>
        <source>A stop word has 1 to {longest_stop_word} characters.</source>
        <translation>Uma palavra de parada tem de 1 a {longest_stop_word} caracteres.</translation>
    </message>
    <message>
        <source>The temperature</source>
        <translation>A temperatura</translation>
    </message>
    <message>
        <source>Top-p</source>
        <translation>Top-p</translation>
    </message>
    <message>
        <source>An assistant has at most {most_in_message} files.</source>
        <translation>Um assistente tem no máximo {most_in_message} arquivos.</translation>
    </message>
    <message>
        <source>Leave some of them out.</source>
        <translation>Deixe alguns de fora.</translation>
    </message>
    <message>
        <source>The provider&apos;s id may have small letters, digits and hyphens only.</source>
        <translation>O id do provedor só pode ter letras minúsculas, dígitos e hifens.</translation>
    </message>
    <message>
        <source>Give the provider a name.</source>
        <translation>Dê um nome ao provedor.</translation>
    </message>
    <message>
        <source>The address must begin with https:// or http://, name a server and hold no password.</source>
        <translation>O endereço deve começar com https:// ou http://, indicar um servidor e não conter senha.</translation>
    </message>
    <message>
        <source>“{name}” is not the name of a header.</source>
        <translation>“{name}” não é o nome de um cabeçalho.</translation>
    </message>
    <message>
        <source>The value of the header {name} contains characters that cannot be sent.</source>
        <translation>O valor do cabeçalho {name} contém caracteres que não podem ser enviados.</translation>
    </message>
    <message>
        <source>The proxy must be an address such as http://proxy.example:3128, without a password. One that wants a password is set with the variable HTTPS_PROXY.</source>
        <translation>O proxy deve ser um endereço como http://proxy.example:3128, sem senha. Um que exija senha é definido com a variável HTTPS_PROXY.</translation>
    </message>
    <message>
        <source>The organisation and the project hold characters that cannot be sent.</source>
        <translation>A organização e o projeto contêm caracteres que não podem ser enviados.</translation>
    </message>
    <message>
        <source>Times must be between 1 and 3,600 seconds.</source>
        <translation>Os tempos devem estar entre 1 e 3.600 segundos.</translation>
    </message>
    <message>
        <source>Nothing was sent; your text stays where it is.</source>
        <translation>Nada foi enviado; seu texto fica onde está.</translation>
    </message>
    <message>
        <source>{name} chose {label} for this thread. You asked {before} here until now; your question, and the thread with it, would go to {label}.</source>
        <translation>{name} escolheu {label} para esta conversa. Até agora você perguntava aqui a {before}; sua pergunta, e a conversa com ela, iria para {label}.</translation>
    </message>
    <message>
        <source>{name} chose {label} for this thread. Your own choice is {before}; your question, and the thread with it, would go to {label}.</source>
        <translation>{name} escolheu {label} para esta conversa. Sua própria escolha é {before}; sua pergunta, e a conversa com ela, iria para {label}.</translation>
    </message>
    <message>
        <source>Choose a model yourself, or name the provider: --provider {name}.</source>
        <translation>Escolha você um modelo ou indique o provedor: --provider {name}.</translation>
    </message>
    <message>
        <source>Ask {label}?</source>
        <translation>Perguntar a {label}?</translation>
    </message>
    <message>
        <source>Since {since}, changes of “{project}” are missing on the team&apos;s server.</source>
        <translation>Desde {since}, faltam alterações de “{project}” no servidor da equipe.</translation>
    </message>
    <message>
        <source>Since {since}, the team&apos;s server has other changes of “{project}” than it took.</source>
        <translation>Desde {since}, o servidor da equipe tem alterações de “{project}” diferentes das que aceitou.</translation>
    </message>
    <message>
        <source>Since {since}, changes of “{project}” are emptied on the team&apos;s server, and nobody asked for that.</source>
        <translation>Desde {since}, alterações de “{project}” estão esvaziadas no servidor da equipe, e ninguém pediu isso.</translation>
    </message>
    <message>
        <source>Since {since}, the team&apos;s server does not send all changes of “{project}” that it has.</source>
        <translation>Desde {since}, o servidor da equipe não envia todas as alterações de “{project}” que tem.</translation>
    </message>
    <message>
        <source>It is no longer shared.</source>
        <translation>Não é mais compartilhado.</translation>
    </message>
    <message>
        <source>You left it.</source>
        <translation>Você saiu dele.</translation>
    </message>
    <message>
        <source>You were removed from it.</source>
        <translation>Você foi removido dele.</translation>
    </message>
    <message>
        <source>It was deleted from the team by its owner.</source>
        <translation>Foi excluído da equipe por seu proprietário.</translation>
    </message>
    <message>
        <source>It was erased for everybody by its owner.</source>
        <translation>Foi apagado para todos por seu proprietário.</translation>
    </message>
    <message>
        <source>“{name}” is no longer shared.</source>
        <translation>“{name}” não é mais compartilhado.</translation>
    </message>
    <message>
        <source>You left “{name}”.</source>
        <translation>Você saiu de “{name}”.</translation>
    </message>
    <message>
        <source>You were removed from “{name}”.</source>
        <translation>Você foi removido de “{name}”.</translation>
    </message>
    <message>
        <source>“{name}” was deleted from the team by its owner.</source>
        <translation>“{name}” foi excluído da equipe por seu proprietário.</translation>
    </message>
    <message>
        <source>“{name}” was erased for everybody by its owner.</source>
        <translation>“{name}” foi apagado para todos por seu proprietário.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes wait here to be sent.</source>
        <comment>{count} change waits here to be sent.</comment>
        <translation>
            <numerusform>{count} alteração espera aqui para ser enviada.</numerusform>
            <numerusform>{count} alterações esperam aqui para ser enviadas.</numerusform>
        </translation>
    </message>
    <message>
        <source>Waiting for approval</source>
        <translation>Esperando aprovação</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>Em execução</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>Concluído</translation>
    </message>
    <message>
        <source>Denied</source>
        <translation>Negada</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>Falhou</translation>
    </message>
    <message>
        <source>Unknown: ChatDesk ended while it ran</source>
        <translation>Desconhecido: o ChatDesk terminou durante a execução</translation>
    </message>
    <message>
        <source>It asks you to sign in: choose Sign in in Settings, Tools.</source>
        <translation>Ele pede que você entre: escolha Entrar em Configurações, Ferramentas.</translation>
    </message>
    <message>
        <source>“{tool}” is left out: its description is not what the protocol allows.</source>
        <translation>“{tool}” fica de fora: sua descrição não é a que o protocolo permite.</translation>
    </message>
    <message>
        <source>“{tool}” is left out: its name or its description is too long.</source>
        <translation>“{tool}” fica de fora: o nome ou a descrição é longo demais.</translation>
    </message>
    <message>
        <source>“{tool}” is listed twice; the second one is left out.</source>
        <translation>“{tool}” aparece duas vezes; a segunda fica de fora.</translation>
    </message>
    <message>
        <source>Not all of its tools are offered: it lists too many.</source>
        <translation>Nem todas as ferramentas são oferecidas: ele lista demais.</translation>
    </message>
    <message>
        <source>Its list may be incomplete: it names the same page again and again.</source>
        <translation>A lista pode estar incompleta: ele indica a mesma página repetidamente.</translation>
    </message>
    <message>
        <source>The tool failed.</source>
        <translation>A ferramenta falhou.</translation>
    </message>
    <message>
        <source>Your messages are kept.</source>
        <translation>Suas mensagens foram mantidas.</translation>
    </message>
    <message>
        <source>Try again, or test the server in Settings, Tools.</source>
        <translation>Tente novamente ou teste o servidor em Configurações, Ferramentas.</translation>
    </message>
    <message>
        <source>Type a number of tokens, such as 32000 or 128k.</source>
        <translation>Digite um número de tokens, como 32000 ou 128k.</translation>
    </message>
    <message>
        <source>The context is between {smallest_window} and {largest_window} tokens.</source>
        <translation>O contexto fica entre {smallest_window} e {largest_window} tokens.</translation>
    </message>
    <message>
        <source>Type dollars for a million tokens, such as 0.25.</source>
        <translation>Digite dólares por um milhão de tokens, como 0.25.</translation>
    </message>
    <message>
        <source>Something went wrong.</source>
        <translation>Algo deu errado.</translation>
    </message>
    <message>
        <source>Try again.</source>
        <translation>Tente novamente.</translation>
    </message>
    <message>
        <source>That is not a valid id.</source>
        <translation>Esse não é um id válido.</translation>
    </message>
    <message>
        <source>Check the id; it looks like 0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e.</source>
        <translation>Verifique o id; ele é como 0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e.</translation>
    </message>
    <message>
        <source>The message is empty.</source>
        <translation>A mensagem está vazia.</translation>
    </message>
    <message>
        <source>Type something first.</source>
        <translation>Digite algo antes.</translation>
    </message>
    <message>
        <source>The message is larger than the limit.</source>
        <translation>A mensagem é maior que o limite.</translation>
    </message>
    <message>
        <source>Your text is kept in the composer.</source>
        <translation>Seu texto foi mantido no campo de mensagem.</translation>
    </message>
    <message>
        <source>Shorten it, or attach it as a file.</source>
        <translation>Encurte-o ou anexe-o como arquivo.</translation>
    </message>
    <message>
        <source>The file is larger than the limit.</source>
        <translation>O arquivo é maior que o limite.</translation>
    </message>
    <message>
        <source>Attach a smaller file or a part of it, or raise the limit in the settings.</source>
        <translation>Anexe um arquivo menor ou uma parte dele, ou aumente o limite nas configurações.</translation>
    </message>
    <message>
        <source>“{name}” is larger than {limit}.</source>
        <translation>“{name}” é maior que {limit}.</translation>
    </message>
    <message>
        <source>The file is larger than {limit}.</source>
        <translation>O arquivo é maior que {limit}.</translation>
    </message>
    <message>
        <source>The file cannot be attached.</source>
        <translation>O arquivo não pode ser anexado.</translation>
    </message>
    <message>
        <source>Choose another file.</source>
        <translation>Escolha outro arquivo.</translation>
    </message>
    <message>
        <source>This file cannot be imported.</source>
        <translation>Este arquivo não pode ser importado.</translation>
    </message>
    <message>
        <source>A thread needs a title.</source>
        <translation>Uma conversa precisa de um título.</translation>
    </message>
    <message>
        <source>The old title is kept.</source>
        <translation>O título antigo foi mantido.</translation>
    </message>
    <message>
        <source>Type at least one character.</source>
        <translation>Digite pelo menos um caractere.</translation>
    </message>
    <message>
        <source>It may have been deleted for good; look in the list.</source>
        <translation>Pode ter sido excluída definitivamente; procure na lista.</translation>
    </message>
    <message>
        <source>There is no thread with that id.</source>
        <translation>Não há conversa com esse id.</translation>
    </message>
    <message>
        <source>There is no message with that id.</source>
        <translation>Não há mensagem com esse id.</translation>
    </message>
    <message>
        <source>The message to answer to does not exist in this thread.</source>
        <translation>A mensagem a responder não existe nesta conversa.</translation>
    </message>
    <message>
        <source>There is no project with that id.</source>
        <translation>Não há projeto com esse id.</translation>
    </message>
    <message>
        <source>There is no summary with that id.</source>
        <translation>Não há resumo com esse id.</translation>
    </message>
    <message>
        <source>There is no prompt with that id.</source>
        <translation>Não há prompt com esse id.</translation>
    </message>
    <message>
        <source>The message is larger than what the model can read at once.</source>
        <translation>A mensagem é maior do que o modelo consegue ler de uma vez.</translation>
    </message>
    <message>
        <source>Shorten it, attach it as a file, or choose a model with a larger window.</source>
        <translation>Encurte-a, anexe-a como arquivo ou escolha um modelo com uma janela maior.</translation>
    </message>
    <message>
        <source>The system prompt leaves no room for the message.</source>
        <translation>O prompt do sistema não deixa espaço para a mensagem.</translation>
    </message>
    <message>
        <source>Shorten the system prompt, or choose a model with a larger window.</source>
        <translation>Encurte o prompt do sistema ou escolha um modelo com uma janela maior.</translation>
    </message>
    <message>
        <source>The question is excluded from the context, so there is nothing to answer.</source>
        <translation>A pergunta está excluída do contexto, então não há nada a responder.</translation>
    </message>
    <message>
        <source>Take it back into the context, or ask again.</source>
        <translation>Devolva-a ao contexto ou pergunte de novo.</translation>
    </message>
    <message>
        <source>Some messages of this summary are gone or no longer shown.</source>
        <translation>Algumas mensagens deste resumo sumiram ou não são mais mostradas.</translation>
    </message>
    <message>
        <source>Nothing was changed; as many of the remaining messages as fit are sent.</source>
        <translation>Nada foi alterado; das mensagens que restam, são enviadas as que cabem.</translation>
    </message>
    <message>
        <source>Create the summary again.</source>
        <translation>Crie o resumo de novo.</translation>
    </message>
    <message>
        <source>The model gave no summary that can be used.</source>
        <translation>O modelo não deu um resumo que possa ser usado.</translation>
    </message>
    <message>
        <source>Nothing was changed; as many of the newest messages as fit are sent.</source>
        <translation>Nada foi alterado; das mensagens mais novas, são enviadas as que cabem.</translation>
    </message>
    <message>
        <source>ChatDesk tries again later.</source>
        <translation>O ChatDesk tenta de novo mais tarde.</translation>
    </message>
    <message>
        <source>Summarising this thread would cost more than the limit.</source>
        <translation>Resumir esta conversa custaria mais que o limite.</translation>
    </message>
    <message>
        <source>No summary was asked for; as many of the newest messages as fit are sent instead.</source>
        <translation>Nenhum resumo foi pedido; em vez disso, são enviadas as mensagens mais novas que cabem.</translation>
    </message>
    <message>
        <source>Allow it, or leave the thread as it is; the limit is in Settings, Usage and limits.</source>
        <translation>Permita ou deixe a conversa como está; o limite está em Configurações, Uso e limites.</translation>
    </message>
    <message>
        <source>This thread is in the trash.</source>
        <translation>Esta conversa está na lixeira.</translation>
    </message>
    <message>
        <source>Restore it first.</source>
        <translation>Restaure-a antes.</translation>
    </message>
    <message>
        <source>This message is in the trash.</source>
        <translation>Esta mensagem está na lixeira.</translation>
    </message>
    <message>
        <source>An answer is still being written in this thread.</source>
        <translation>Uma resposta ainda está sendo escrita nesta conversa.</translation>
    </message>
    <message>
        <source>Wait for it or stop it first.</source>
        <translation>Espere por ela ou pare-a antes.</translation>
    </message>
    <message>
        <source>The database could not be used.</source>
        <translation>O banco de dados não pôde ser usado.</translation>
    </message>
    <message>
        <source>Run &apos;chatdesk doctor&apos; for details.</source>
        <translation>Execute &apos;chatdesk doctor&apos; para ver detalhes.</translation>
    </message>
    <message>
        <source>The disk is full, so this could not be saved.</source>
        <translation>O disco está cheio, então isto não pôde ser salvo.</translation>
    </message>
    <message>
        <source>Everything saved before is unchanged, and your text is still in the window.</source>
        <translation>Tudo o que foi salvo antes está inalterado, e seu texto ainda está na janela.</translation>
    </message>
    <message>
        <source>Everything saved before is unchanged.</source>
        <translation>Tudo o que foi salvo antes está inalterado.</translation>
    </message>
    <message>
        <source>Free some space and try again.</source>
        <translation>Libere espaço e tente novamente.</translation>
    </message>
    <message>
        <source>The answer could not be saved.</source>
        <translation>A resposta não pôde ser salva.</translation>
    </message>
    <message>
        <source>What was saved before is unchanged; of the answer only the beginning may be kept.</source>
        <translation>O que foi salvo antes está inalterado; da resposta talvez só o começo seja mantido.</translation>
    </message>
    <message>
        <source>Free disk space or correct the permissions so that ChatDesk can save, then ask again.</source>
        <translation>Libere espaço ou corrija as permissões para que o ChatDesk possa salvar e pergunte de novo.</translation>
    </message>
    <message>
        <source>Another program is using the database.</source>
        <translation>Outro programa está usando o banco de dados.</translation>
    </message>
    <message>
        <source>Close the other program or try again in a moment.</source>
        <translation>Feche o outro programa ou tente novamente daqui a pouco.</translation>
    </message>
    <message>
        <source>The database cannot be written to.</source>
        <translation>Não é possível gravar no banco de dados.</translation>
    </message>
    <message>
        <source>You can still read everything.</source>
        <translation>Você ainda pode ler tudo.</translation>
    </message>
    <message>
        <source>Check the permissions of the data directory.</source>
        <translation>Verifique as permissões do diretório de dados.</translation>
    </message>
    <message>
        <source>The database file is damaged.</source>
        <translation>O arquivo do banco de dados está danificado.</translation>
    </message>
    <message>
        <source>The file was left as it is; backups are in the backup directory.</source>
        <translation>O arquivo foi deixado como estava; há backups no diretório de backups.</translation>
    </message>
    <message>
        <source>Restore the newest backup, or copy out what can be read: &apos;chatdesk doctor --repair&apos;.</source>
        <translation>Restaure o backup mais recente ou copie o que puder ser lido: &apos;chatdesk doctor --repair&apos;.</translation>
    </message>
    <message>
        <source>Run &apos;chatdesk doctor --repair&apos;; if that does not help, send the report of &apos;chatdesk doctor&apos;.</source>
        <translation>Execute &apos;chatdesk doctor --repair&apos;; se isso não ajudar, envie o relatório de &apos;chatdesk doctor&apos;.</translation>
    </message>
    <message>
        <source>A database was here before, and now it is missing or empty.</source>
        <translation>Antes havia um banco de dados aqui, e agora ele falta ou está vazio.</translation>
    </message>
    <message>
        <source>Choose the export as its program wrote it.</source>
        <translation>Escolha a exportação como o programa dela a gravou.</translation>
    </message>
    <message>
        <source>Nothing was created in its place.</source>
        <translation>Nada foi criado no lugar dele.</translation>
    </message>
    <message>
        <source>Restore the file or a backup; run &apos;chatdesk doctor&apos; for the paths.</source>
        <translation>Restaure o arquivo ou um backup; execute &apos;chatdesk doctor&apos; para ver os caminhos.</translation>
    </message>
    <message>
        <source>The database file was moved or replaced while ChatDesk was running.</source>
        <translation>O arquivo do banco de dados foi movido ou substituído enquanto o ChatDesk estava em execução.</translation>
    </message>
    <message>
        <source>Writing has stopped so that nothing goes into the wrong file.</source>
        <translation>A gravação parou para que nada vá para o arquivo errado.</translation>
    </message>
    <message>
        <source>Close ChatDesk, put the file back, and start again.</source>
        <translation>Feche o ChatDesk, ponha o arquivo de volta e inicie de novo.</translation>
    </message>
    <message>
        <source>The database is out of reach: its drive, folder or file is not there.</source>
        <translation>O banco de dados está fora de alcance: sua unidade, pasta ou arquivo não está lá.</translation>
    </message>
    <message>
        <source>Nothing was written anywhere else, and your text is still in the window.</source>
        <translation>Nada foi gravado em outro lugar, e seu texto ainda está na janela.</translation>
    </message>
    <message>
        <source>Nothing was written anywhere else.</source>
        <translation>Nada foi gravado em outro lugar.</translation>
    </message>
    <message>
        <source>Connect the drive or put the file back; ChatDesk then continues by itself.</source>
        <translation>Conecte a unidade ou devolva o arquivo ao lugar; depois disso o ChatDesk continua sozinho.</translation>
    </message>
    <message>
        <source>This database was written by a newer ChatDesk.</source>
        <translation>Este banco de dados foi gravado por um ChatDesk mais novo.</translation>
    </message>
    <message>
        <source>It was not touched.</source>
        <translation>Ele não foi tocado.</translation>
    </message>
    <message>
        <source>Update ChatDesk to open it.</source>
        <translation>Atualize o ChatDesk para abri-lo.</translation>
    </message>
    <message>
        <source>The database could not be upgraded.</source>
        <translation>O banco de dados não pôde ser atualizado.</translation>
    </message>
    <message>
        <source>It was left as it was and can be read; a verified backup is in the backup directory.</source>
        <translation>Foi deixado como estava e pode ser lido; há um backup verificado no diretório de backups.</translation>
    </message>
    <message>
        <source>ChatDesk is already running on this data directory.</source>
        <translation>O ChatDesk já está em execução neste diretório de dados.</translation>
    </message>
    <message>
        <source>Use the open window, or choose another --data-dir.</source>
        <translation>Use a janela aberta ou escolha outro --data-dir.</translation>
    </message>
    <message>
        <source>The output could not be written.</source>
        <translation>A saída não pôde ser gravada.</translation>
    </message>
    <message>
        <source>Free some space, or send it elsewhere.</source>
        <translation>Libere espaço ou envie-a para outro lugar.</translation>
    </message>
    <message>
        <source>The export could not be written.</source>
        <translation>A exportação não pôde ser gravada.</translation>
    </message>
    <message>
        <source>Your messages are unchanged, and nothing half-written was left.</source>
        <translation>Suas mensagens estão inalteradas, e nada gravado pela metade foi deixado.</translation>
    </message>
    <message>
        <source>You may read this shared project, but not write in it.</source>
        <translation>Você pode ler este projeto compartilhado, mas não escrever nele.</translation>
    </message>
    <message>
        <source>Ask an owner or administrator of the project to let you edit.</source>
        <translation>Peça a um proprietário ou administrador do projeto que deixe você editar.</translation>
    </message>
    <message>
        <source>Another member wrote this, and your role lets you change and delete only what is yours.</source>
        <translation>Outro membro escreveu isto, e seu papel só permite alterar e excluir o que é seu.</translation>
    </message>
    <message>
        <source>Ask the person who made it, or an owner or administrator of the project.</source>
        <translation>Peça à pessoa que o fez, ou a um proprietário ou administrador do projeto.</translation>
    </message>
    <message>
        <source>The team&apos;s database did not do what was asked.</source>
        <translation>O banco de dados da equipe não fez o que foi pedido.</translation>
    </message>
    <message>
        <source>Everything you wrote is kept on this computer.</source>
        <translation>Tudo o que você escreveu está guardado neste computador.</translation>
    </message>
    <message>
        <source>Open Details in the status line to see what it said.</source>
        <translation>Abra Detalhes na linha de status para ver o que ele disse.</translation>
    </message>
    <message>
        <source>The team&apos;s database was restored from a backup.</source>
        <translation>O banco de dados da equipe foi restaurado de um backup.</translation>
    </message>
    <message>
        <source>ChatDesk compares everything again and sends what that backup lacks.</source>
        <translation>O ChatDesk compara tudo de novo e envia o que falta nesse backup.</translation>
    </message>
    <message>
        <source>Your message is kept.</source>
        <translation>Sua mensagem foi mantida.</translation>
    </message>
    <message>
        <source>{who} sent something of another kind.</source>
        <translation>{who} enviou algo de outro tipo.</translation>
    </message>
    <message>
        <source>It could not be loaded.</source>
        <translation>Não pôde ser carregada.</translation>
    </message>
    <message>
        <source>{host} did not answer in time.</source>
        <translation>{host} não respondeu a tempo.</translation>
    </message>
    <message>
        <source>{host} did not give an answer that can be used.</source>
        <translation>{host} não deu nenhuma resposta que possa ser usada.</translation>
    </message>
    <message>
        <source>The address leads to another server: {host}.</source>
        <translation>O endereço leva a outro servidor: {host}.</translation>
    </message>
    <message>
        <source>{host} redirects in a circle.</source>
        <translation>{host} redireciona em círculos.</translation>
    </message>
    <message>
        <source>{host} redirects to another address.</source>
        <translation>{host} redireciona para outro endereço.</translation>
    </message>
    <message>
        <source>{host} is this computer or an address for machines only; nothing is loaded from there.</source>
        <translation>{host} é este computador ou um endereço só para máquinas; nada é carregado de lá.</translation>
    </message>
    <message>
        <source>{host} is in a private network.</source>
        <translation>{host} está em uma rede privada.</translation>
    </message>
    <message>
        <source>Nothing can be loaded from this address.</source>
        <translation>Nada pode ser carregado deste endereço.</translation>
    </message>
    <message>
        <source>{hostname} answered with the error {status}.</source>
        <translation>{hostname} respondeu com o erro {status}.</translation>
    </message>
    <message>
        <source>The data came compressed in a way that ChatDesk did not ask for.</source>
        <translation>Os dados vieram compactados de um modo que o ChatDesk não pediu.</translation>
    </message>
    <message>
        <source>The data did not arrive completely.</source>
        <translation>Os dados não chegaram completos.</translation>
    </message>
    <message>
        <source>The data is larger than {max_bytes} MB.</source>
        <translation>Os dados passam de {max_bytes} MB.</translation>
    </message>
    <message>
        <source>“{name}” beside it is a link or a file, not a folder</source>
        <translation>“{name}” ao lado é um link ou um arquivo, não uma pasta</translation>
    </message>
    <message>
        <source>The disk of {target} is full.</source>
        <translation>O disco de {target} está cheio.</translation>
    </message>
    <message>
        <source>Free some space, or choose another place.</source>
        <translation>Libere espaço ou escolha outro lugar.</translation>
    </message>
    <message>
        <source>{target} may not be written by this user.</source>
        <translation>{target} não pode ser gravado por este usuário.</translation>
    </message>
    <message>
        <source>{target} is a folder.</source>
        <translation>{target} é uma pasta.</translation>
    </message>
    <message>
        <source>Name a file in it.</source>
        <translation>Indique um arquivo nela.</translation>
    </message>
    <message>
        <source>The folder of {target} is not there.</source>
        <translation>A pasta de {target} não está lá.</translation>
    </message>
    <message>
        <source>Put the drive back, or choose another place.</source>
        <translation>Ponha a unidade de volta ou escolha outro lugar.</translation>
    </message>
    <message>
        <source>No file can be made in {parent}.</source>
        <translation>Nenhum arquivo pode ser criado em {parent}.</translation>
    </message>
    <message>
        <source>The name {name}… is too long for that place.</source>
        <translation>O nome {name}… é longo demais para esse lugar.</translation>
    </message>
    <message>
        <source>{target} could not be written: {strerror}.</source>
        <translation>{target} não pôde ser gravado: {strerror}.</translation>
    </message>
    <message>
        <source>“chatdesk {purpose}” (process {pid}) is using this data directory.</source>
        <translation>“chatdesk {purpose}” (processo {pid}) está trabalhando neste diretório de dados.</translation>
    </message>
    <message>
        <source>Wait until it has ended, then try again; or choose another --data-dir.</source>
        <translation>Espere até que termine e tente novamente; ou escolha outro --data-dir.</translation>
    </message>
    <message>
        <source>Another process answers in the place of the ChatDesk that has this data directory open.</source>
        <translation>Outro processo responde no lugar do ChatDesk que tem este diretório de dados aberto.</translation>
    </message>
    <message>
        <source>Nothing was sent to it.</source>
        <translation>Nada foi enviado a ele.</translation>
    </message>
    <message>
        <source>Close ChatDesk and start it again; &apos;chatdesk doctor&apos; shows who owns the directory.</source>
        <translation>Feche o ChatDesk e inicie-o de novo; &apos;chatdesk doctor&apos; mostra de quem é o diretório.</translation>
    </message>
    <message>
        <source>The ChatDesk that was answering has ended.</source>
        <translation>O ChatDesk que respondia terminou.</translation>
    </message>
    <message>
        <source>What had arrived of the answer is kept.</source>
        <translation>O que chegou da resposta foi mantido.</translation>
    </message>
    <message>
        <source>Ask again.</source>
        <translation>Pergunte de novo.</translation>
    </message>
    <message>
        <source>The disk is full, so ChatDesk can only read.</source>
        <translation>O disco está cheio, então o ChatDesk só pode ler.</translation>
    </message>
    <message>
        <source>The data directory cannot be written to.</source>
        <translation>Não é possível gravar no diretório de dados.</translation>
    </message>
    <message>
        <source>The file system of the data directory cannot lock files, so ChatDesk only reads from it.</source>
        <translation>O sistema de arquivos do diretório de dados não pode bloquear arquivos, então o ChatDesk só lê dele.</translation>
    </message>
    <message>
        <source>Choose a data directory on a local disk.</source>
        <translation>Escolha um diretório de dados em um disco local.</translation>
    </message>
    <message>
        <source>This ChatDesk does not do that.</source>
        <translation>Este ChatDesk não faz isso.</translation>
    </message>
    <message>
        <source>Too many commands ask this ChatDesk at once. Try again later.</source>
        <translation>Comandos demais consultam este ChatDesk de uma vez. Tente novamente mais tarde.</translation>
    </message>
    <message>
        <source>Something unexpected happened. The log says more.</source>
        <translation>Algo inesperado aconteceu. O log diz mais.</translation>
    </message>
    <message>
        <source>There is no home directory: HOME is not set, and the system knows none for this user.</source>
        <translation>Não há diretório pessoal: HOME não está definida, e o sistema não conhece nenhum para este usuário.</translation>
    </message>
    <message>
        <source>Set HOME, or choose an absolute directory with --data-dir.</source>
        <translation>Defina HOME ou escolha um diretório absoluto com --data-dir.</translation>
    </message>
    <message>
        <source>The current directory no longer exists.</source>
        <translation>O diretório atual não existe mais.</translation>
    </message>
    <message>
        <source>Go to another one, or choose an absolute directory with --data-dir.</source>
        <translation>Vá para outro ou escolha um diretório absoluto com --data-dir.</translation>
    </message>
    <message>
        <source>The data directory cannot be used: the name {data_dir} is not UTF-8.</source>
        <translation>O diretório de dados não pode ser usado: o nome {data_dir} não é UTF-8.</translation>
    </message>
    <message>
        <source>Rename it, or choose another with --data-dir.</source>
        <translation>Renomeie-o ou escolha outro com --data-dir.</translation>
    </message>
    <message>
        <source>The answer of {who} took longer than {duration} and was stopped.</source>
        <translation>A resposta de {who} demorou mais de {duration} e foi parada.</translation>
    </message>
    <message>
        <source>Continue the answer, or try again.</source>
        <translation>Continue a resposta ou tente novamente.</translation>
    </message>
    <message>
        <source>The base URL is not a web address.</source>
        <translation>A URL base não é um endereço da web.</translation>
    </message>
    <message>
        <source>The base URL for {hostname} contains a user name or a password.</source>
        <translation>A URL base de {hostname} contém um nome de usuário ou uma senha.</translation>
    </message>
    <message>
        <source>The API key contains characters that no key has.</source>
        <translation>A chave de API contém caracteres que nenhuma chave tem.</translation>
    </message>
    <message>
        <source>One of the extra headers contains characters that cannot be sent.</source>
        <translation>Um dos cabeçalhos adicionais contém caracteres que não podem ser enviados.</translation>
    </message>
    <message>
        <source>The extra header Host names another server than the address.</source>
        <translation>O cabeçalho adicional Host indica um servidor diferente do endereço.</translation>
    </message>
    <message>
        <source>The proxy that the system names cannot be used: {proxy}. Name an HTTP proxy there, or set the proxy of this provider.</source>
        <translation>O proxy indicado pelo sistema não pode ser usado: {proxy}. Indique ali um proxy HTTP ou defina o proxy deste provedor.</translation>
    </message>
    <message>
        <source>The file of certificates is not there.</source>
        <translation>O arquivo de certificados não está lá.</translation>
    </message>
    <message>
        <source>Your message and the part of the answer that arrived are kept.</source>
        <translation>Sua mensagem e a parte da resposta que chegou foram mantidas.</translation>
    </message>
    <message>
        <source>There is no network connection to {who}.</source>
        <translation>Não há conexão de rede com {who}.</translation>
    </message>
    <message>
        <source>Check the network, then try again; the offline model works without one.</source>
        <translation>Verifique a rede e tente novamente; o modelo offline funciona sem ela.</translation>
    </message>
    <message>
        <source>The address of {who} could not be found.</source>
        <translation>O endereço de {who} não pôde ser encontrado.</translation>
    </message>
    <message>
        <source>Check the network and the spelling of the base URL, then try again.</source>
        <translation>Verifique a rede e a grafia da URL base e tente novamente.</translation>
    </message>
    <message>
        <source>{who} refused the connection.</source>
        <translation>{who} recusou a conexão.</translation>
    </message>
    <message>
        <source>Check that the server is running and that the base URL names the right port.</source>
        <translation>Verifique se o servidor está em execução e se a URL base indica a porta certa.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate or encryption was not accepted.</source>
        <translation>A conexão com {who} não é segura: seu certificado ou criptografia não foi aceito.</translation>
    </message>
    <message>
        <source>Check the clock of this computer, the base URL and any proxy; nothing is sent until this is solved.</source>
        <translation>Verifique o relógio deste computador, a URL base e o proxy, se houver; nada é enviado até isto ser resolvido.</translation>
    </message>
    <message>
        <source>{who} did not accept the request.</source>
        <translation>{who} não aceitou a solicitação.</translation>
    </message>
    <message>
        <source>Change the message or choose another model, then try again.</source>
        <translation>Altere a mensagem ou escolha outro modelo e tente novamente.</translation>
    </message>
    <message>
        <source>{who} did not accept the API key.</source>
        <translation>{who} não aceitou a chave de API.</translation>
    </message>
    <message>
        <source>Check the API key in the settings.</source>
        <translation>Verifique a chave de API nas configurações.</translation>
    </message>
    <message>
        <source>The account at {who} has no credit left or has reached its spending limit.</source>
        <translation>A conta em {who} não tem mais crédito ou atingiu seu limite de gastos.</translation>
    </message>
    <message>
        <source>Check the billing page of the account, or choose another provider.</source>
        <translation>Verifique a página de cobrança da conta ou escolha outro provedor.</translation>
    </message>
    <message>
        <source>{who} does not allow this API key to do that.</source>
        <translation>{who} não permite que esta chave de API faça isso.</translation>
    </message>
    <message>
        <source>Choose another model, or ask the owner of the account.</source>
        <translation>Escolha outro modelo ou pergunte ao dono da conta.</translation>
    </message>
    <message>
        <source>{who} does not know this model or this address.</source>
        <translation>{who} não conhece este modelo ou este endereço.</translation>
    </message>
    <message>
        <source>Choose another model, or check the base URL.</source>
        <translation>Escolha outro modelo ou verifique a URL base.</translation>
    </message>
    <message>
        <source>{who} gave up on the request because it took too long.</source>
        <translation>{who} desistiu da solicitação porque ela demorou demais.</translation>
    </message>
    <message>
        <source>Try again, or shorten the message.</source>
        <translation>Tente novamente ou encurte a mensagem.</translation>
    </message>
    <message>
        <source>{who} refused the request because it conflicts with another one.</source>
        <translation>{who} recusou a solicitação porque ela conflita com outra.</translation>
    </message>
    <message>
        <source>Try again in a moment.</source>
        <translation>Tente novamente daqui a pouco.</translation>
    </message>
    <message>
        <source>The thread is too long for this model.</source>
        <translation>A conversa é longa demais para este modelo.</translation>
    </message>
    <message>
        <source>Start a new thread, shorten the message, or choose a larger model.</source>
        <translation>Comece uma nova conversa, encurte a mensagem ou escolha um modelo maior.</translation>
    </message>
    <message>
        <source>{who} is receiving too many requests.</source>
        <translation>{who} está recebendo solicitações demais.</translation>
    </message>
    <message>
        <source>Wait a moment, then try again.</source>
        <translation>Espere um momento e tente novamente.</translation>
    </message>
    <message>
        <source>{who} had an internal error.</source>
        <translation>{who} teve um erro interno.</translation>
    </message>
    <message>
        <source>Try again in a moment or choose another model.</source>
        <translation>Tente novamente daqui a pouco ou escolha outro modelo.</translation>
    </message>
    <message>
        <source>{who} could not be reached within {seconds} s.</source>
        <translation>{who} não pôde ser alcançado em {seconds} s.</translation>
    </message>
    <message>
        <source>Check the network and the base URL, then try again.</source>
        <translation>Verifique a rede e a URL base e tente novamente.</translation>
    </message>
    <message>
        <source>{who} did not begin to answer within {seconds} s.</source>
        <translation>{who} não começou a responder em {seconds} s.</translation>
    </message>
    <message>
        <source>Try again, or give it more time: “First word” of this provider, or provider.first_byte_timeout_s.</source>
        <translation>Tente de novo ou dê mais tempo: “Primeira palavra” deste provedor ou provider.first_byte_timeout_s.</translation>
    </message>
    <message>
        <source>Try again or choose another model.</source>
        <translation>Tente novamente ou escolha outro modelo.</translation>
    </message>
    <message>
        <source>{who} stopped sending: no more of the answer arrived for {seconds} s.</source>
        <translation>{who} parou de enviar: durante {seconds} s não chegou mais nada da resposta.</translation>
    </message>
    <message>
        <source>{who} redirected the request to another address; ChatDesk did not follow, so nothing was sent there.</source>
        <translation>{who} redirecionou a solicitação para outro endereço; o ChatDesk não seguiu, então nada foi enviado para lá.</translation>
    </message>
    <message>
        <source>{who} redirected the request without saying where to.</source>
        <translation>{who} redirecionou a solicitação sem dizer para onde.</translation>
    </message>
    <message>
        <source>{who} redirected the request to an address that cannot be read.</source>
        <translation>{who} redirecionou a solicitação para um endereço que não pode ser lido.</translation>
    </message>
    <message>
        <source>{who} redirected the request to something that is not a web address, so nothing was sent there.</source>
        <translation>{who} redirecionou a solicitação para algo que não é um endereço web, então nada foi enviado para lá.</translation>
    </message>
    <message>
        <source>{who} redirected the request in a way that would lose the message, so ChatDesk did not follow.</source>
        <translation>{who} redirecionou a solicitação de um modo que perderia a mensagem, então o ChatDesk não seguiu.</translation>
    </message>
    <message>
        <source>Check the base URL: a wrong path or a log-in page often causes this.</source>
        <translation>Verifique a URL base: um caminho errado ou uma página de login costuma causar isso.</translation>
    </message>
    <message>
        <source>{who} redirected the request to another address ({host}); ChatDesk did not follow, so nothing was sent there.</source>
        <translation>{who} redirecionou a solicitação para outro endereço ({host}); o ChatDesk não seguiu, então nada foi enviado para lá.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is self-signed.</source>
        <translation>A conexão com {who} não é segura: o certificado é autoassinado.</translation>
    </message>
    <message>
        <source>The connection to {who} was lost.</source>
        <translation>A conexão com {who} foi perdida.</translation>
    </message>
    <message>
        <source>{who} sent something that ChatDesk cannot read.</source>
        <translation>{who} enviou algo que o ChatDesk não consegue ler.</translation>
    </message>
    <message>
        <source>Try again; if it stays so, check the base URL.</source>
        <translation>Tente novamente; se continuar assim, verifique a URL base.</translation>
    </message>
    <message>
        <source>{who} ended the answer without saying that it is finished, so it may be cut off.</source>
        <translation>{who} encerrou a resposta sem dizer que ela está concluída, então pode estar cortada.</translation>
    </message>
    <message>
        <source>{who} sent a web page or a file instead of an answer.</source>
        <translation>{who} enviou uma página da web ou um arquivo em vez de uma resposta.</translation>
    </message>
    <message>
        <source>Check the base URL (it usually ends in /v1), and sign in first if this network has a log-in page.</source>
        <translation>Verifique a URL base (costuma terminar em /v1), e faça login antes se esta rede tem uma página de login.</translation>
    </message>
    <message>
        <source>{who} sent an empty answer.</source>
        <translation>{who} enviou uma resposta vazia.</translation>
    </message>
    <message>
        <source>The content filter of {who} stopped the answer.</source>
        <translation>O filtro de conteúdo de {who} parou a resposta.</translation>
    </message>
    <message>
        <source>Rephrase the message.</source>
        <translation>Reformule a mensagem.</translation>
    </message>
    <message>
        <source>{who} did not accept the image: it says that this model sees none.</source>
        <translation>{who} não aceitou a imagem: diz que este modelo não vê imagens.</translation>
    </message>
    <message>
        <source>Send the question without the image, or choose another model.</source>
        <translation>Envie a pergunta sem a imagem ou escolha outro modelo.</translation>
    </message>
    <message>
        <source>{who} sent more data than an answer may have, so the connection was closed.</source>
        <translation>{who} enviou mais dados do que uma resposta pode ter, então a conexão foi fechada.</translation>
    </message>
    <message>
        <source>Ask for a shorter answer, or choose another model.</source>
        <translation>Peça uma resposta mais curta ou escolha outro modelo.</translation>
    </message>
    <message>
        <source>Set the base URL to the final address if you trust it.</source>
        <translation>Defina a URL base como o endereço final, se confia nele.</translation>
    </message>
    <message>
        <source>There is no API key for {who}.</source>
        <translation>Não há chave de API para {who}.</translation>
    </message>
    <message>
        <source>Set OPENAI_API_KEY and start ChatDesk again, or choose the offline model.</source>
        <translation>Defina OPENAI_API_KEY e inicie o ChatDesk de novo, ou escolha o modelo offline.</translation>
    </message>
    <message>
        <source>The request to {who} failed.</source>
        <translation>A solicitação a {who} falhou.</translation>
    </message>
    <message>
        <source>{who} is overloaded at the moment.</source>
        <translation>{who} está sobrecarregado no momento.</translation>
    </message>
    <message>
        <source>{who} redirected the request in a circle, so ChatDesk gave up.</source>
        <translation>{who} redirecionou a solicitação em círculo, então o ChatDesk desistiu.</translation>
    </message>
    <message>
        <source>Check the base URL, then try again.</source>
        <translation>Verifique a URL base e tente novamente.</translation>
    </message>
    <message>
        <source>Check the clock of this computer; nothing is sent until this is solved.</source>
        <translation>Verifique o relógio deste computador; nada é enviado até isto ser resolvido.</translation>
    </message>
    <message>
        <source>Check the base URL and any proxy; nothing is sent until this is solved.</source>
        <translation>Verifique a URL base e o proxy, se houver; nada é enviado até isto ser resolvido.</translation>
    </message>
    <message>
        <source>If it is your own server, name its certificate&apos;s file in Settings, Providers; nothing is sent until this is solved.</source>
        <translation>Se é seu próprio servidor, indique o arquivo do certificado dele em Configurações, Provedores; nada é enviado até isto ser resolvido.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is signed by an authority that this computer does not trust.</source>
        <translation>A conexão com {who} não é segura: seu certificado é assinado por uma autoridade em que este computador não confia.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is not valid yet.</source>
        <translation>A conexão com {who} não é segura: seu certificado ainda não é válido.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate has expired.</source>
        <translation>A conexão com {who} não é segura: seu certificado expirou.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is for another name.</source>
        <translation>A conexão com {who} não é segura: seu certificado é para outro nome.</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is for another address.</source>
        <translation>A conexão com {who} não é segura: seu certificado é para outro endereço.</translation>
    </message>
    <message numerus="yes">
        <source>{count} days</source>
        <comment>{count} day</comment>
        <translation>
            <numerusform>{count} dia</numerusform>
            <numerusform>{count} dias</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} hours</source>
        <comment>{count} hour</comment>
        <translation>
            <numerusform>{count} hora</numerusform>
            <numerusform>{count} horas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} minutes</source>
        <comment>{count} minute</comment>
        <translation>
            <numerusform>{count} minuto</numerusform>
            <numerusform>{count} minutos</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} seconds</source>
        <comment>{count} second</comment>
        <translation>
            <numerusform>{count} segundo</numerusform>
            <numerusform>{count} segundos</numerusform>
        </translation>
    </message>
    <message>
        <source>This computer slept while the answer was being written, and the connection was lost.</source>
        <translation>Este computador dormiu enquanto a resposta era escrita, e a conexão foi perdida.</translation>
    </message>
    <message>
        <source>ChatDesk made a mistake while reading the answer.</source>
        <translation>O ChatDesk cometeu um erro ao ler a resposta.</translation>
    </message>
    <message>
        <source>Try again; the log file has the details.</source>
        <translation>Tente novamente; o arquivo de log tem os detalhes.</translation>
    </message>
    <message>
        <source>Check the base URL in Settings, Providers: for most servers it ends in /v1.</source>
        <translation>Verifique a URL base em Configurações, Provedores: na maioria dos servidores ela termina em /v1.</translation>
    </message>
    <message>
        <source>It says: “{quoted}”{stop}</source>
        <translation>Diz: “{quoted}”{stop}</translation>
    </message>
    <message>
        <source>Try again in {duration}.</source>
        <translation>Tente novamente em {duration}.</translation>
    </message>
    <message>
        <source>{model} was retired by the company that made it.</source>
        <translation>{model} foi descontinuado pelo fabricante.</translation>
    </message>
    <message>
        <source>Choose another model; that company names {successor} in its place.</source>
        <translation>Escolha outro modelo; o fabricante indica {successor} no lugar dele.</translation>
    </message>
    <message>
        <source>Choose another model; the nearest are {nearest}.</source>
        <translation>Escolha outro modelo; os mais próximos são {nearest}.</translation>
    </message>
    <message>
        <source>Enter its key in Settings, Providers (OPENAI_API_KEY works for OpenAI), or choose the offline model.</source>
        <translation>Informe a chave em Configurações, Provedores (para a OpenAI, OPENAI_API_KEY também serve), ou escolha o modelo offline.</translation>
    </message>
    <message>
        <source>Correct it in the settings, then try again.</source>
        <translation>Corrija isso nas configurações e tente novamente.</translation>
    </message>
    <message>
        <source>{what} Nothing was sent.</source>
        <translation>{what} Nada foi enviado.</translation>
    </message>
    <message>
        <source>{who} offers no model.</source>
        <translation>{who} não oferece nenhum modelo.</translation>
    </message>
    <message>
        <source>Install or load a model on the server, then try again.</source>
        <translation>Instale ou carregue um modelo no servidor e tente novamente.</translation>
    </message>
    <message>
        <source>This took too long.</source>
        <translation>Isto demorou demais.</translation>
    </message>
    <message numerus="yes">
        <source>{count} models are offered.</source>
        <comment>{count} model is offered.</comment>
        <translation>
            <numerusform>{count} modelo é oferecido.</numerusform>
            <numerusform>{count} modelos são oferecidos.</numerusform>
        </translation>
    </message>
    <message>
        <source>This server has no list of models; type their names.</source>
        <translation>Este servidor não tem lista de modelos; digite os nomes.</translation>
    </message>
    <message>
        <source>No model to ask: choose one, then test again.</source>
        <translation>Nenhum modelo a consultar: escolha um e teste de novo.</translation>
    </message>
    <message>
        <source>The server offers no model.</source>
        <translation>O servidor não oferece nenhum modelo.</translation>
    </message>
    <message>
        <source>{model} streams its answer.</source>
        <translation>{model} envia a resposta de forma contínua.</translation>
    </message>
    <message>
        <source>The server answers.</source>
        <translation>O servidor responde.</translation>
    </message>
    <message>
        <source>The connection is encrypted.</source>
        <translation>A conexão é criptografada.</translation>
    </message>
    <message>
        <source>Not encrypted: the address is http.</source>
        <translation>Sem criptografia: o endereço é http.</translation>
    </message>
    <message>
        <source>{status}: {sentence}</source>
        <translation>{status}: {sentence}</translation>
    </message>
    <message>
        <source>The key is accepted.</source>
        <translation>A chave foi aceita.</translation>
    </message>
    <message>
        <source>No key is needed.</source>
        <translation>Nenhuma chave é necessária.</translation>
    </message>
    <message>
        <source>{who} reached the length limit before it wrote any of the answer.</source>
        <translation>{who} atingiu o limite de comprimento antes de escrever algo da resposta.</translation>
    </message>
    <message>
        <source>{who} called a tool that it was not offered, and wrote no answer.</source>
        <translation>{who} chamou uma ferramenta que não lhe foi oferecida e não escreveu nenhuma resposta.</translation>
    </message>
    <message>
        <source>{switched_off} is switched off.</source>
        <translation>{switched_off} está desligado.</translation>
    </message>
    <message>
        <source>Switch it on in Settings, Providers, or choose another model.</source>
        <translation>Ligue-o em Configurações, Provedores, ou escolha outro modelo.</translation>
    </message>
    <message>
        <source>There is no provider called “{name}”.</source>
        <translation>Não há provedor chamado “{name}”.</translation>
    </message>
    <message>
        <source>Choose another model; the providers are: {known}.</source>
        <translation>Escolha outro modelo; os provedores são: {known}.</translation>
    </message>
    <message>
        <source>{label} has no key yet.</source>
        <translation>{label} ainda não tem chave.</translation>
    </message>
    <message>
        <source>{label} is switched off.</source>
        <translation>{label} está desligado.</translation>
    </message>
    <message numerus="yes">
        <source>{count} models</source>
        <comment>{count} model</comment>
        <translation>
            <numerusform>{count} modelo</numerusform>
            <numerusform>{count} modelos</numerusform>
        </translation>
    </message>
    <message>
        <source>{label} answers and offers {number}.</source>
        <translation>{label} responde e oferece {number}.</translation>
    </message>
    <message>
        <source>Your last message was cut off. Continue it exactly where it stops, in the middle of the word or line if need be. Do not repeat anything and do not add an introduction.</source>
        <translation>Sua última mensagem foi cortada. Continue-a exatamente onde ela para, no meio da palavra ou da linha se preciso. Não repita nada e não acrescente uma introdução.</translation>
    </message>
    <message>
        <source>Looking further back would take long: only the newest part was searched.</source>
        <translation>Procurar mais para trás demoraria muito: só a parte mais nova foi pesquisada.</translation>
    </message>
    <message>
        <source>The newest {most_ranked} matches were ranked; older ones follow.</source>
        <translation>Os {most_ranked} resultados mais novos foram classificados; os mais antigos vêm depois.</translation>
    </message>
    <message>
        <source>Older messages are still being indexed: {percent} %.</source>
        <translation>Mensagens mais antigas ainda estão sendo indexadas: {percent} %.</translation>
    </message>
    <message>
        <source>Searching is not possible here: the search index is damaged. Your messages are not affected.</source>
        <translation>Não é possível buscar aqui: o índice de busca está danificado. Suas mensagens não foram afetadas.</translation>
    </message>
    <message>
        <source>The search index is damaged and is being rebuilt. Your messages are not affected; search again later.</source>
        <translation>O índice de busca está danificado e está sendo refeito. Suas mensagens não foram afetadas; busque de novo mais tarde.</translation>
    </message>
    <message>
        <source>That is not a place in these results.</source>
        <translation>Esse não é um lugar nestes resultados.</translation>
    </message>
    <message>
        <source>Search again.</source>
        <translation>Busque de novo.</translation>
    </message>
    <message>
        <source>Summarise long threads</source>
        <translation>Resumir conversas longas</translation>
    </message>
    <message>
        <source>Older messages are sent as a summary. The messages themselves stay.</source>
        <translation>Mensagens mais antigas são enviadas como resumo. As próprias mensagens ficam.</translation>
    </message>
    <message>
        <source>Summaries</source>
        <translation>Resumos</translation>
    </message>
    <message>
        <source>Summarise when the window is</source>
        <translation>Resumir quando a janela está</translation>
    </message>
    <message>
        <source>% full</source>
        <translation>% cheia</translation>
    </message>
    <message>
        <source>Summarise idle threads ahead</source>
        <translation>Resumir conversas paradas com antecedência</translation>
    </message>
    <message>
        <source>So that your next question does not wait.</source>
        <translation>Para que sua próxima pergunta não espere.</translation>
    </message>
    <message>
        <source>Never</source>
        <translation>Nunca</translation>
    </message>
    <message>
        <source>Every night at 3:00</source>
        <translation>Toda noite às 3:00</translation>
    </message>
    <message>
        <source>Every day at 12:00</source>
        <translation>Todo dia às 12:00</translation>
    </message>
    <message>
        <source>Every Sunday at 3:00</source>
        <translation>Todo domingo às 3:00</translation>
    </message>
    <message>
        <source>Every hour</source>
        <translation>A cada hora</translation>
    </message>
    <message>
        <source>Titles of new threads</source>
        <translation>Títulos de novas conversas</translation>
    </message>
    <message>
        <source>Titles</source>
        <translation>Títulos</translation>
    </message>
    <message>
        <source>Written by the model</source>
        <translation>Escritos pelo modelo</translation>
    </message>
    <message>
        <source>The start of the question</source>
        <translation>O começo da pergunta</translation>
    </message>
    <message>
        <source>Limit for titles and summaries</source>
        <translation>Limite para títulos e resumos</translation>
    </message>
    <message>
        <source>tokens a day</source>
        <translation>tokens por dia</translation>
    </message>
    <message>
        <source>No limit</source>
        <translation>Sem limite</translation>
    </message>
    <message>
        <source>Ask before a summary costs more than</source>
        <translation>Perguntar antes que um resumo custe mais de</translation>
    </message>
    <message>
        <source>US dollars</source>
        <translation>dólares americanos</translation>
    </message>
    <message>
        <source>Never ask</source>
        <translation>Nunca perguntar</translation>
    </message>
    <message>
        <source>Ask before a summary takes more than</source>
        <translation>Perguntar antes que um resumo gaste mais de</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>tokens</translation>
    </message>
    <message>
        <source>it must be true or false</source>
        <translation>deve ser true ou false</translation>
    </message>
    <message>
        <source>it must be a number</source>
        <translation>deve ser um número</translation>
    </message>
    <message>
        <source>it must be text</source>
        <translation>deve ser texto</translation>
    </message>
    <message>
        <source>it must be one of {choices}</source>
        <translation>deve ser um destes: {choices}</translation>
    </message>
    <message>
        <source>it must be text without control characters</source>
        <translation>deve ser texto sem caracteres de controle</translation>
    </message>
    <message>
        <source>it must be one line</source>
        <translation>deve ser uma linha</translation>
    </message>
    <message>
        <source>it must be at least {minimum}</source>
        <translation>deve ser pelo menos {minimum}</translation>
    </message>
    <message>
        <source>it must be at most {maximum}</source>
        <translation>deve ser no máximo {maximum}</translation>
    </message>
    <message>
        <source>it must be a whole number</source>
        <translation>deve ser um número inteiro</translation>
    </message>
    <message>
        <source>it must be a table of names and texts, such as {&quot;X-Team&quot; = &quot;blue&quot;}</source>
        <translation>deve ser uma tabela de nomes e textos, como {&quot;X-Team&quot; = &quot;blue&quot;}</translation>
    </message>
    <message>
        <source>names and values must be text</source>
        <translation>nomes e valores devem ser texto</translation>
    </message>
    <message>
        <source>a name has letters, digits, dots and hyphens only</source>
        <translation>um nome só tem letras, dígitos, pontos e hifens</translation>
    </message>
    <message>
        <source>a value must be one line</source>
        <translation>um valor deve ser uma linha</translation>
    </message>
    <message>
        <source>each line must look like &apos;Name: value&apos;</source>
        <translation>cada linha deve ser como &apos;Name: value&apos;</translation>
    </message>
    <message>
        <source>it must be a provider and a model, such as openai/gpt-5.4-mini</source>
        <translation>deve ser um provedor e um modelo, como openai/gpt-5.4-mini</translation>
    </message>
    <message>
        <source>it must begin with https:// or http:// and name a server</source>
        <translation>deve começar com https:// ou http:// e indicar um servidor</translation>
    </message>
    <message>
        <source>it must not contain a password; use the keyring or OPENAI_API_KEY</source>
        <translation>não pode conter uma senha; use o chaveiro ou OPENAI_API_KEY</translation>
    </message>
    <message>
        <source>The file of {subject} {path} is damaged; it is kept under another name when it is read next.</source>
        <translation>O arquivo {path} ({subject}) está danificado; ele será guardado com outro nome na próxima leitura.</translation>
    </message>
    <message>
        <source>The file of {subject} {path} was written by a newer ChatDesk. What is known of it is used, and it is left as it is.</source>
        <translation>O arquivo ({subject}) {path} foi gravado por um ChatDesk mais novo. O que se conhece dele é usado, e ele fica como está.</translation>
    </message>
    <message>
        <source>The file of {subject} {path} cannot be read ({strerror}).</source>
        <translation>O arquivo ({subject}) {path} não pode ser lido ({strerror}).</translation>
    </message>
    <message>
        <source>The file of {subject} {path} is damaged and was left as it is.</source>
        <translation>O arquivo ({subject}) {path} está danificado e foi deixado como está.</translation>
    </message>
    <message>
        <source>The file of {subject} {path} is damaged; it is kept as {name}. Set the {subject} up again.</source>
        <translation>O arquivo ({subject}) {path} está danificado; está guardado como {name}. Configure de novo: {subject}.</translation>
    </message>
    <message>
        <source>The passphrase does not open the file of keys.</source>
        <translation>A frase secreta não abre o arquivo de chaves.</translation>
    </message>
    <message>
        <source>The keys are unchanged.</source>
        <translation>As chaves estão inalteradas.</translation>
    </message>
    <message>
        <source>The file of keys cannot be read or written.</source>
        <translation>O arquivo de chaves não pode ser lido ou gravado.</translation>
    </message>
    <message>
        <source>It was left as it is; keys hold until ChatDesk closes.</source>
        <translation>Foi deixado como estava; as chaves valem até o ChatDesk fechar.</translation>
    </message>
    <message>
        <source>Type it again; capital letters count. Without it, the keys have to be entered again.</source>
        <translation>Digite-a de novo; maiúsculas contam. Sem ela, as chaves precisam ser digitadas de novo.</translation>
    </message>
    <message>
        <source>Check the configuration directory, or delete the file keys.encrypted.json and enter the keys again.</source>
        <translation>Verifique o diretório de configuração, ou exclua o arquivo keys.encrypted.json e digite as chaves de novo.</translation>
    </message>
    <message>
        <source>The file of keys has not been opened in this run.</source>
        <translation>O arquivo de chaves não foi aberto nesta execução.</translation>
    </message>
    <message>
        <source>The keys in it are unchanged.</source>
        <translation>As chaves nele estão inalteradas.</translation>
    </message>
    <message>
        <source>Enter its passphrase in Settings, Providers.</source>
        <translation>Digite sua frase secreta em Configurações, Provedores.</translation>
    </message>
    <message>
        <source>There is a file of keys already.</source>
        <translation>Já há um arquivo de chaves.</translation>
    </message>
    <message>
        <source>Enter its passphrase.</source>
        <translation>Digite sua frase secreta.</translation>
    </message>
    <message>
        <source>Straight rows of keys are easy to guess.</source>
        <translation>Fileiras retas de teclas são fáceis de adivinhar.</translation>
    </message>
    <message>
        <source>Short keyboard patterns are easy to guess.</source>
        <translation>Padrões curtos do teclado são fáceis de adivinhar.</translation>
    </message>
    <message>
        <source>Repeats like &quot;aaa&quot; are easy to guess.</source>
        <translation>Repetições como “aaa” são fáceis de adivinhar.</translation>
    </message>
    <message>
        <source>Repeats like &quot;abcabcabc&quot; are only slightly harder to guess than &quot;abc&quot;.</source>
        <translation>Repetições como “abcabcabc” são pouco mais difíceis de adivinhar que “abc”.</translation>
    </message>
    <message>
        <source>Sequences like &quot;abc&quot; or &quot;6543&quot; are easy to guess.</source>
        <translation>Sequências como “abc” ou “6543” são fáceis de adivinhar.</translation>
    </message>
    <message>
        <source>Recent years are easy to guess.</source>
        <translation>Anos recentes são fáceis de adivinhar.</translation>
    </message>
    <message>
        <source>Dates are often easy to guess.</source>
        <translation>Datas costumam ser fáceis de adivinhar.</translation>
    </message>
    <message>
        <source>This is a top-10 common password.</source>
        <translation>É uma das 10 senhas mais comuns.</translation>
    </message>
    <message>
        <source>This is a top-100 common password.</source>
        <translation>É uma das 100 senhas mais comuns.</translation>
    </message>
    <message>
        <source>This is a very common password.</source>
        <translation>É uma senha muito comum.</translation>
    </message>
    <message>
        <source>This is similar to a commonly used password.</source>
        <translation>É parecida com uma senha comum.</translation>
    </message>
    <message>
        <source>A word by itself is easy to guess.</source>
        <translation>Uma palavra sozinha é fácil de adivinhar.</translation>
    </message>
    <message>
        <source>Names and surnames by themselves are easy to guess.</source>
        <translation>Nomes e sobrenomes sozinhos são fáceis de adivinhar.</translation>
    </message>
    <message>
        <source>Common names and surnames are easy to guess.</source>
        <translation>Nomes e sobrenomes comuns são fáceis de adivinhar.</translation>
    </message>
    <message>
        <source>A new passphrase: four words or more</source>
        <translation>Uma nova frase secreta: quatro palavras ou mais</translation>
    </message>
    <message>
        <source>This passphrase is easy to guess.</source>
        <translation>Esta frase secreta é fácil de adivinhar.</translation>
    </message>
    <message>
        <source>Four or five words that do not belong together are easy to remember and hard to guess.</source>
        <translation>Quatro ou cinco palavras que não combinam são fáceis de lembrar e difíceis de adivinhar.</translation>
    </message>
    <message>
        <source>A passphrase of blanks guards nothing.</source>
        <translation>Uma frase secreta de espaços não protege nada.</translation>
    </message>
    <message>
        <source>Any OpenAI-compatible address.</source>
        <translation>Qualquer endereço compatível com a OpenAI.</translation>
    </message>
    <message>
        <source>Own server</source>
        <translation>Servidor próprio</translation>
    </message>
    <message>
        <source>Enter the name of your resource in the address. Models are your deployments.</source>
        <translation>Digite o nome do seu recurso no endereço. Os modelos são suas implantações.</translation>
    </message>
    <message>
        <source>The providers could not be saved.</source>
        <translation>Os provedores não puderam ser salvos.</translation>
    </message>
    <message>
        <source>The old file is unchanged; the change applies until ChatDesk closes.</source>
        <translation>O arquivo antigo está inalterado; a alteração vale até o ChatDesk fechar.</translation>
    </message>
    <message>
        <source>Check the permissions and the free space of the configuration directory.</source>
        <translation>Verifique as permissões e o espaço livre do diretório de configuração.</translation>
    </message>
    <message>
        <source>providers</source>
        <translation>provedores</translation>
    </message>
    <message>
        <source>The file of providers was written by a newer ChatDesk.</source>
        <translation>O arquivo de provedores foi gravado por um ChatDesk mais novo.</translation>
    </message>
    <message>
        <source>Update ChatDesk to change it.</source>
        <translation>Atualize o ChatDesk para alterá-lo.</translation>
    </message>
    <message>
        <source>The file of providers {path} could not be written.</source>
        <translation>O arquivo de provedores {path} não pôde ser gravado.</translation>
    </message>
    <message numerus="yes">
        <source>{count} providers were left out: its entry in providers.json cannot be used.</source>
        <comment>{count} provider was left out: its entry in providers.json cannot be used.</comment>
        <translation>
            <numerusform>{count} provedor foi deixado de fora: sua entrada em providers.json não pode ser usada.</numerusform>
            <numerusform>{count} provedores foram deixados de fora: suas entradas em providers.json não podem ser usadas.</numerusform>
        </translation>
    </message>
    <message>
        <source>New threads use</source>
        <translation>Novas conversas usam</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>Modelos</translation>
    </message>
    <message>
        <source>The first provider that is ready</source>
        <translation>O primeiro provedor que estiver pronto</translation>
    </message>
    <message>
        <source>The offline demo</source>
        <translation>A demonstração offline</translation>
    </message>
    <message>
        <source>Address of OpenAI</source>
        <translation>Endereço da OpenAI</translation>
    </message>
    <message>
        <source>Model of new threads</source>
        <translation>Modelo de novas conversas</translation>
    </message>
    <message>
        <source>The provider&apos;s own choice</source>
        <translation>A escolha do próprio provedor</translation>
    </message>
    <message>
        <source>Headers for OpenAI</source>
        <translation>Cabeçalhos para a OpenAI</translation>
    </message>
    <message>
        <source>Model for titles and summaries</source>
        <translation>Modelo para títulos e resumos</translation>
    </message>
    <message>
        <source>The thread&apos;s own model</source>
        <translation>O modelo da própria conversa</translation>
    </message>
    <message>
        <source>Let models draw with their vendor&apos;s image tool</source>
        <translation>Deixar os modelos desenharem com a ferramenta de imagens do provedor</translation>
    </message>
    <message>
        <source>Responses protocol only; no limit sees what drawing costs.</source>
        <translation>Só com o protocolo Responses; nenhum limite vê o custo dos desenhos.</translation>
    </message>
    <message>
        <source>Model for pictures</source>
        <translation>Modelo para imagens</translation>
    </message>
    <message>
        <source>Offered where a model sees none.</source>
        <translation>Oferecido onde um modelo não as vê.</translation>
    </message>
    <message>
        <source>None</source>
        <translation>Nenhum</translation>
    </message>
    <message>
        <source>Longest answer</source>
        <translation>Resposta mais longa</translation>
    </message>
    <message>
        <source>The model&apos;s own limit</source>
        <translation>O limite do próprio modelo</translation>
    </message>
    <message>
        <source>Keep the start of a thread for</source>
        <translation>Guardar o começo de uma conversa por</translation>
    </message>
    <message>
        <source>Makes follow-up questions to Claude cheaper.</source>
        <translation>Torna mais baratas as perguntas seguintes ao Claude.</translation>
    </message>
    <message>
        <source>5 minutes</source>
        <translation>5 minutos</translation>
    </message>
    <message>
        <source>1 hour</source>
        <translation>1 hora</translation>
    </message>
    <message>
        <source>Do not keep it</source>
        <translation>Não guardar</translation>
    </message>
    <message>
        <source>Wait for a connection</source>
        <translation>Esperar por uma conexão</translation>
    </message>
    <message>
        <source>Slow servers</source>
        <translation>Servidores lentos</translation>
    </message>
    <message>
        <source>seconds</source>
        <translation>segundos</translation>
    </message>
    <message>
        <source>Wait for an answer to begin</source>
        <translation>Esperar que uma resposta comece</translation>
    </message>
    <message>
        <source>Servers on this computer and in the local network get ten times as long.</source>
        <translation>Servidores neste computador e na rede local têm dez vezes mais tempo.</translation>
    </message>
    <message>
        <source>Wait when an answer pauses</source>
        <translation>Esperar quando uma resposta pausa</translation>
    </message>
    <message>
        <source>When you are offline</source>
        <translation>Quando você está offline</translation>
    </message>
    <message>
        <source>Wait until you try again</source>
        <translation>Esperar até você tentar de novo</translation>
    </message>
    <message>
        <source>Send once you are online</source>
        <translation>Enviar quando houver conexão</translation>
    </message>
    <message>
        <source>When you close the window during an answer</source>
        <translation>Quando você fecha a janela durante uma resposta</translation>
    </message>
    <message>
        <source>Stop, and continue it later</source>
        <translation>Parar e continuar mais tarde</translation>
    </message>
    <message>
        <source>Finish it first</source>
        <translation>Terminá-la antes</translation>
    </message>
    <message>
        <source>Speed of the offline demo</source>
        <translation>Velocidade da demonstração offline</translation>
    </message>
    <message>
        <source>tokens/s</source>
        <translation>tokens/s</translation>
    </message>
    <message>
        <source>Instructions for all threads</source>
        <translation>Instruções para todas as conversas</translation>
    </message>
    <message>
        <source>A project or thread with its own instructions uses those instead.</source>
        <translation>Um projeto ou conversa com instruções próprias as usa em vez destas.</translation>
    </message>
    <message>
        <source>Writing</source>
        <translation>Escrita</translation>
    </message>
    <message>
        <source>For example: answer briefly, in British English.</source>
        <translation>Por exemplo: responda de forma breve, em português do Brasil.</translation>
    </message>
    <message>
        <source>custom instructions system prompt personality</source>
        <translation>instruções personalizadas prompt do sistema personalidade</translation>
    </message>
    <message>
        <source>Send at most</source>
        <translation>Enviar no máximo</translation>
    </message>
    <message>
        <source>For example 20/min or 200/day. Further messages wait their turn.</source>
        <translation>Por exemplo 20/min ou 200/day. Outras mensagens esperam sua vez.</translation>
    </message>
    <message>
        <source>rate</source>
        <translation>taxa</translation>
    </message>
    <message>
        <source>Send at most, by provider and project</source>
        <translation>Enviar no máximo, por provedor e projeto</translation>
    </message>
    <message>
        <source>Longest message</source>
        <translation>Mensagem mais longa</translation>
    </message>
    <message>
        <source>Largest attached file</source>
        <translation>Maior arquivo anexado</translation>
    </message>
    <message>
        <source>Most files in a message</source>
        <translation>Máximo de arquivos em uma mensagem</translation>
    </message>
    <message>
        <source>files</source>
        <translation>arquivos</translation>
    </message>
    <message>
        <source>Largest size of all files in a message</source>
        <translation>Maior tamanho de todos os arquivos em uma mensagem</translation>
    </message>
    <message>
        <source>Largest size of all files in a day</source>
        <translation>Maior tamanho de todos os arquivos em um dia</translation>
    </message>
    <message>
        <source>Kinds of files kept out</source>
        <translation>Tipos de arquivos não aceitos</translation>
    </message>
    <message>
        <source>Such as video/*, application/zip.</source>
        <translation>Como video/*, application/zip.</translation>
    </message>
    <message>
        <source>Empty the trash after</source>
        <translation>Esvaziar a lixeira após</translation>
    </message>
    <message>
        <source>Trash and archive</source>
        <translation>Lixeira e arquivadas</translation>
    </message>
    <message>
        <source>days</source>
        <translation>dias</translation>
    </message>
    <message>
        <source>deleted retention</source>
        <translation>excluído retenção</translation>
    </message>
    <message>
        <source>Move archived threads to the trash after</source>
        <translation>Mover conversas arquivadas para a lixeira após</translation>
    </message>
    <message>
        <source>Keep a backup of each day for</source>
        <translation>Manter um backup de cada dia por</translation>
    </message>
    <message>
        <source>Backups</source>
        <translation>Backups</translation>
    </message>
    <message>
        <source>Before that, one of each week for</source>
        <translation>Antes disso, um de cada semana por</translation>
    </message>
    <message>
        <source>weeks</source>
        <translation>semanas</translation>
    </message>
    <message>
        <source>Notify about others&apos; messages</source>
        <translation>Notificar sobre mensagens de outros</translation>
    </message>
    <message>
        <source>Only while the window is not in front.</source>
        <translation>Só enquanto a janela não está na frente.</translation>
    </message>
    <message>
        <source>With name and thread</source>
        <translation>Com nome e conversa</translation>
    </message>
    <message>
        <source>With name, thread and text</source>
        <translation>Com nome, conversa e texto</translation>
    </message>
    <message>
        <source>Detail of the log file</source>
        <translation>Detalhe do arquivo de log</translation>
    </message>
    <message>
        <source>From the next start on.</source>
        <translation>A partir do próximo início.</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>Log</translation>
    </message>
    <message>
        <source>Everything</source>
        <translation>Tudo</translation>
    </message>
    <message>
        <source>Normal</source>
        <translation>Normal</translation>
    </message>
    <message>
        <source>Warnings and failures</source>
        <translation>Avisos e falhas</translation>
    </message>
    <message>
        <source>Failures only</source>
        <translation>Só falhas</translation>
    </message>
    <message>
        <source>Virus scanner (clamd)</source>
        <translation>Antivírus (clamd)</translation>
    </message>
    <message>
        <source>Its socket, such as /run/clamav/clamd.ctl, or host:port.</source>
        <translation>Seu socket, como /run/clamav/clamd.ctl, ou host:port.</translation>
    </message>
    <message>
        <source>Attached files</source>
        <translation>Arquivos anexados</translation>
    </message>
    <message>
        <source>When the scanner does not answer</source>
        <translation>Quando o antivírus não responde</translation>
    </message>
    <message>
        <source>Keep files out</source>
        <translation>Não aceitar arquivos</translation>
    </message>
    <message>
        <source>Let files in</source>
        <translation>Aceitar arquivos</translation>
    </message>
    <message>
        <source>The key could not be put into the system&apos;s keyring.</source>
        <translation>A chave não pôde ser posta no chaveiro do sistema.</translation>
    </message>
    <message>
        <source>It is used until ChatDesk closes and was not written to any file.</source>
        <translation>É usada até o ChatDesk fechar e não foi gravada em nenhum arquivo.</translation>
    </message>
    <message>
        <source>Unlock or install a keyring, or choose the encrypted file in Settings, Providers.</source>
        <translation>Desbloqueie ou instale um chaveiro, ou escolha o arquivo criptografado em Configurações, Provedores.</translation>
    </message>
    <message>
        <source>The keyring did not answer; it may be locked or waiting for a password.</source>
        <translation>O chaveiro não respondeu; talvez esteja bloqueado ou esperando uma senha.</translation>
    </message>
    <message>
        <source>no answer within {timeout_s} s</source>
        <translation>nenhuma resposta em {timeout_s} s</translation>
    </message>
    <message>
        <source>There is no keyring on this system.</source>
        <translation>Não há chaveiro neste sistema.</translation>
    </message>
    <message>
        <source>The keyring is locked.</source>
        <translation>O chaveiro está bloqueado.</translation>
    </message>
    <message>
        <source>The keyring failed ({name}).</source>
        <translation>O chaveiro falhou ({name}).</translation>
    </message>
    <message>
        <source>Let other programs use ChatDesk</source>
        <translation>Deixar outros programas usarem o ChatDesk</translation>
    </message>
    <message>
        <source>Port</source>
        <translation>Porta</translation>
    </message>
    <message>
        <source>The window and chatdesk serve listen on it.</source>
        <translation>A janela e chatdesk serve escutam nela.</translation>
    </message>
    <message>
        <source>on this computer</source>
        <translation>neste computador</translation>
    </message>
    <message>
        <source>Any that is free</source>
        <translation>Qualquer uma livre</translation>
    </message>
    <message>
        <source>api http rest</source>
        <translation>api http rest</translation>
    </message>
    <message>
        <source>Also listen on</source>
        <translation>Escutar também em</translation>
    </message>
    <message>
        <source>For example 192.168.1.5:8443. Needs a certificate.</source>
        <translation>Por exemplo 192.168.1.5:8443. Precisa de um certificado.</translation>
    </message>
    <message>
        <source>Nothing</source>
        <translation>Nada</translation>
    </message>
    <message>
        <source>Certificate</source>
        <translation>Certificado</translation>
    </message>
    <message>
        <source>A PEM file.</source>
        <translation>Um arquivo PEM.</translation>
    </message>
    <message>
        <source>Key of the certificate</source>
        <translation>Chave do certificado</translation>
    </message>
    <message>
        <source>A PEM file without a passphrase.</source>
        <translation>Um arquivo PEM sem frase secreta.</translation>
    </message>
    <message>
        <source>Let web pages of these origins ask</source>
        <translation>Deixar páginas da web destas origens perguntarem</translation>
    </message>
    <message>
        <source>For example https://tool.example. Each page still needs a token.</source>
        <translation>Por exemplo https://tool.example. Cada página ainda precisa de um token.</translation>
    </message>
    <message>
        <source>cors origin browser website</source>
        <translation>cors origem navegador site</translation>
    </message>
    <message>
        <source>The settings could not be saved.</source>
        <translation>As configurações não puderam ser salvas.</translation>
    </message>
    <message>
        <source>The old settings file is unchanged; the new settings hold until ChatDesk closes.</source>
        <translation>O arquivo de configurações antigo está inalterado; as novas configurações valem até o ChatDesk fechar.</translation>
    </message>
    <message>
        <source>{key} in the settings file</source>
        <translation>{key} no arquivo de configurações</translation>
    </message>
    <message>
        <source>{key} cannot be set: {error}.</source>
        <translation>{key} não pode ser definido: {error}.</translation>
    </message>
    <message>
        <source>The settings file {path} could not be written.</source>
        <translation>O arquivo de configurações {path} não pôde ser gravado.</translation>
    </message>
    <message>
        <source>The settings file {path} cannot be read ({strerror}). Defaults are used; the file is unchanged.</source>
        <translation>O arquivo de configurações {path} não pode ser lido ({strerror}). Os padrões são usados; o arquivo está inalterado.</translation>
    </message>
    <message>
        <source>The settings file {path} is empty. Defaults are used; delete it if that is meant.</source>
        <translation>O arquivo de configurações {path} está vazio. Os padrões são usados; exclua-o se for intencional.</translation>
    </message>
    <message>
        <source>kept as {name}</source>
        <translation>guardado como {name}</translation>
    </message>
    <message>
        <source>left as it is</source>
        <translation>deixado como está</translation>
    </message>
    <message>
        <source>The settings file {path} is damaged. Defaults are used; the damaged file is {where}.</source>
        <translation>O arquivo de configurações {path} está danificado. Os padrões são usados; o arquivo danificado foi {where}.</translation>
    </message>
    <message>
        <source>Steps of an answer</source>
        <translation>Passos de uma resposta</translation>
    </message>
    <message>
        <source>Limits</source>
        <translation>Limites</translation>
    </message>
    <message>
        <source>requests to the model</source>
        <translation>solicitações ao modelo</translation>
    </message>
    <message>
        <source>Time for an answer</source>
        <translation>Tempo para uma resposta</translation>
    </message>
    <message>
        <source>minutes</source>
        <translation>minutos</translation>
    </message>
    <message>
        <source>Time for a call</source>
        <translation>Tempo para uma chamada</translation>
    </message>
    <message>
        <source>Time for a server to start</source>
        <translation>Tempo para um servidor iniciar</translation>
    </message>
    <message>
        <source>Cost of an answer</source>
        <translation>Custo de uma resposta</translation>
    </message>
    <message>
        <source>No limit of its own</source>
        <translation>Sem limite próprio</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>Tema</translation>
    </message>
    <message>
        <source>Look</source>
        <translation>Aparência</translation>
    </message>
    <message>
        <source>colours colors dark mode appearance</source>
        <translation>cores modo escuro aparência visual</translation>
    </message>
    <message>
        <source>Same as the system</source>
        <translation>Igual ao sistema</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>Claro</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>Escuro</translation>
    </message>
    <message>
        <source>Light, high contrast</source>
        <translation>Claro, alto contraste</translation>
    </message>
    <message>
        <source>Dark, high contrast</source>
        <translation>Escuro, alto contraste</translation>
    </message>
    <message>
        <source>tour, help</source>
        <translation>tour, passeio, ajuda, o que você pode</translation>
    </message>
    <message numerus="yes">
        <source>With your message I got these {count} files:</source>
        <comment>With your message I got this:</comment>
        <translation>
            <numerusform>Com a sua mensagem recebi isto:</numerusform>
            <numerusform>Com a sua mensagem recebi estes {count} arquivos:</numerusform>
        </translation>
    </message>
    <message>
        <source>{name}, an image of {size} pixels</source>
        <translation>{name}, uma imagem de {size} pixels</translation>
    </message>
    <message>
        <source>{name}, a file of {bytes} bytes ({kind}), of which the beginning and the end fit</source>
        <translation>{name}, um arquivo de {bytes} bytes ({kind}), do qual cabem o começo e o fim</translation>
    </message>
    <message>
        <source>{name}, a file of {bytes} bytes ({kind})</source>
        <translation>{name}, um arquivo de {bytes} bytes ({kind})</translation>
    </message>
    <message>
        <source>You wrote nothing.</source>
        <translation>Você não escreveu nada.</translation>
    </message>
    <message>
        <source>You wrote: {question}</source>
        <translation>Você escreveu: {question}</translation>
    </message>
    <message>
        <source>A small function, and how to call it:</source>
        <translation>Uma função pequena e como chamá-la:</translation>
    </message>
    <message>
        <source>The `dict` keeps the order in which words were first seen.</source>
        <translation>O `dict` mantém a ordem em que as palavras apareceram.</translation>
    </message>
    <message>
        <source>in the application</source>
        <translation>no aplicativo</translation>
    </message>
    <message>
        <source>on a server</source>
        <translation>em um servidor</translation>
    </message>
    <message>
        <source>Runs</source>
        <translation>Funciona</translation>
    </message>
    <message>
        <source>Good for</source>
        <translation>Boa para</translation>
    </message>
    <message>
        <source>First release</source>
        <translation>Primeira versão</translation>
    </message>
    <message>
        <source>one computer, one file</source>
        <translation>um computador, um arquivo</translation>
    </message>
    <message>
        <source>many people at once</source>
        <translation>muitas pessoas ao mesmo tempo</translation>
    </message>
    <message>
        <source>analysing large tables</source>
        <translation>analisar tabelas grandes</translation>
    </message>
    <message>
        <source>**Say what you want.** One sentence is enough.</source>
        <translation>**Diga o que você quer.** Basta uma frase.</translation>
    </message>
    <message>
        <source>**Collect what you have.**</source>
        <translation>**Reúna o que você tem.**</translation>
    </message>
    <message>
        <source>notes</source>
        <translation>notas</translation>
    </message>
    <message>
        <source>examples</source>
        <translation>exemplos</translation>
    </message>
    <message>
        <source>open questions</source>
        <translation>perguntas em aberto</translation>
    </message>
    <message>
        <source>**Try the smallest thing that could work**, then look at it again.</source>
        <translation>**Tente a menor coisa que poderia funcionar** e olhe de novo.</translation>
    </message>
    <message>
        <source>question asked</source>
        <translation>pergunta feita</translation>
    </message>
    <message>
        <source>answer checked</source>
        <translation>resposta conferida</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>Passos</translation>
    </message>
    <message>
        <source>With {first} and {second}, the two roots of {equation} are $a$ and $b$ themselves:</source>
        <translation>Com {first} e {second}, as duas raízes de {equation} são $a$ e $b$:</translation>
    </message>
    <message>
        <source>Mathematics</source>
        <translation>Matemática</translation>
    </message>
    <message>
        <source>The sum of the first $n$ whole numbers is {total}.</source>
        <translation>A soma dos primeiros $n$ números inteiros é {total}.</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>Idioma</translation>
    </message>
    <message>
        <source>Hello</source>
        <translation>Olá</translation>
    </message>
    <message>
        <source>Thank you</source>
        <translation>Obrigado</translation>
    </message>
    <message>
        <source>Translation</source>
        <translation>Tradução</translation>
    </message>
    <message>
        <source>A real model would translate your own sentence.</source>
        <translation>Um modelo de verdade traduziria a sua própria frase.</translation>
    </message>
    <message>
        <source>An explanation comes with **bold** and *italic* words, with [links](https://example.org) and with quotations:</source>
        <translation>Uma explicação traz palavras em **negrito** e *itálico*, [links](https://example.org) e citações:</translation>
    </message>
    <message>
        <source>A good explanation is one that lets you predict what happens next.</source>
        <translation>Uma boa explicação permite prever o que acontece depois.</translation>
    </message>
    <message>
        <source>**What it is for** comes first.</source>
        <translation>**Para que serve** vem primeiro.</translation>
    </message>
    <message>
        <source>**How it works** follows, part by part.</source>
        <translation>**Como funciona** vem depois, parte por parte.</translation>
    </message>
    <message>
        <source>**Where it ends** closes it.</source>
        <translation>**Onde termina** fecha a explicação.</translation>
    </message>
    <message>
        <source>Explanation</source>
        <translation>Explicação</translation>
    </message>
    <message>
        <source>Your message has **{words} words** and {characters} characters.</source>
        <translation>A sua mensagem tem **{words} palavras** e {characters} caracteres.</translation>
    </message>
    <message>
        <source>In short</source>
        <translation>Em resumo</translation>
    </message>
    <message>
        <source>hello, good morning</source>
        <translation>olá, oi, bom dia, boa tarde, boa noite</translation>
    </message>
    <message>
        <source>code, function, program</source>
        <translation>código, função, programa, script, python</translation>
    </message>
    <message>
        <source>table, compare</source>
        <translation>tabela, compar</translation>
    </message>
    <message>
        <source>list, steps, plan, ideas</source>
        <translation>lista, passos, plano, ideias</translation>
    </message>
    <message>
        <source>mathematics, formula, calculate</source>
        <translation>matemática, fórmula, equação, calcul</translation>
    </message>
    <message>
        <source>translate, translation</source>
        <translation>traduz, tradução</translation>
    </message>
    <message>
        <source>explain, why, what is</source>
        <translation>expli, por que, o que é, o que são</translation>
    </message>
    <message>
        <source>summary, summarise</source>
        <translation>resum, em resumo</translation>
    </message>
    <message>
        <source>Changes when ChatDesk starts again.</source>
        <translation>Muda quando o ChatDesk é iniciado de novo.</translation>
    </message>
    <message>
        <source>translation locale</source>
        <translation>tradução localidade língua</translation>
    </message>
    <message>
        <source>Text size</source>
        <translation>Tamanho do texto</translation>
    </message>
    <message>
        <source>font zoom</source>
        <translation>fonte letra zoom</translation>
    </message>
    <message>
        <source>Room for fingers</source>
        <translation>Espaço para os dedos</translation>
    </message>
    <message>
        <source>touch screen targets size density</source>
        <translation>tela sensível ao toque tocar alvos tamanho densidade</translation>
    </message>
    <message>
        <source>When the screen is touched</source>
        <translation>Quando a tela é tocada</translation>
    </message>
    <message>
        <source>Always</source>
        <translation>Sempre</translation>
    </message>
    <message>
        <source>Animations</source>
        <translation>Animações</translation>
    </message>
    <message>
        <source>movement</source>
        <translation>movimento</translation>
    </message>
    <message>
        <source>On</source>
        <translation>Ligado</translation>
    </message>
    <message>
        <source>Off</source>
        <translation>Desligado</translation>
    </message>
    <message>
        <source>Screen reader reads answers</source>
        <translation>Leitor de tela lê as respostas</translation>
    </message>
    <message>
        <source>Their start and end are always announced.</source>
        <translation>Seu começo e fim são sempre anunciados.</translation>
    </message>
    <message>
        <source>speech voice</source>
        <translation>fala voz</translation>
    </message>
    <message>
        <source>No</source>
        <translation>Não</translation>
    </message>
    <message>
        <source>When they are complete</source>
        <translation>Quando estão completas</translation>
    </message>
    <message>
        <source>Sentence by sentence</source>
        <translation>Frase por frase</translation>
    </message>
    <message>
        <source>Send with</source>
        <translation>Enviar com</translation>
    </message>
    <message>
        <source>Shift+Enter always adds a line.</source>
        <translation>Shift+Enter sempre adiciona uma linha.</translation>
    </message>
    <message>
        <source>return key newline</source>
        <translation>tecla return nova linha</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>Atalhos de teclado</translation>
    </message>
    <message>
        <source>Press Ctrl+/ to see them at any time.</source>
        <translation>Pressione Ctrl+/ para vê-los a qualquer momento.</translation>
    </message>
    <message>
        <source>Show your messages</source>
        <translation>Mostrar suas mensagens</translation>
    </message>
    <message>
        <source>markdown</source>
        <translation>markdown</translation>
    </message>
    <message>
        <source>With formatting</source>
        <translation>Com formatação</translation>
    </message>
    <message>
        <source>Exactly as typed</source>
        <translation>Exatamente como digitadas</translation>
    </message>
    <message>
        <source>Notify when an answer is ready</source>
        <translation>Notificar quando uma resposta está pronta</translation>
    </message>
    <message>
        <source>While you work in another window.</source>
        <translation>Enquanto você trabalha em outra janela.</translation>
    </message>
    <message>
        <source>Desktop</source>
        <translation>Área de trabalho</translation>
    </message>
    <message>
        <source>If it took 10 seconds</source>
        <translation>Se demorou 10 segundos</translation>
    </message>
    <message>
        <source>Icon in the tray</source>
        <translation>Ícone na bandeja</translation>
    </message>
    <message>
        <source>system tray status close minimise background</source>
        <translation>bandeja do sistema status fechar minimizar segundo plano</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>Mostrar</translation>
    </message>
    <message>
        <source>Show, and keep running in it</source>
        <translation>Mostrar e continuar em execução nela</translation>
    </message>
    <message>
        <source>Start when you log in</source>
        <translation>Iniciar quando você faz login</translation>
    </message>
    <message>
        <source>autostart boot</source>
        <translation>início automático autostart boot</translation>
    </message>
    <message>
        <source>When you delete a message</source>
        <translation>Quando você exclui uma mensagem</translation>
    </message>
    <message>
        <source>Ask about later ones</source>
        <translation>Perguntar sobre as posteriores</translation>
    </message>
    <message>
        <source>Delete only that one</source>
        <translation>Excluir só essa</translation>
    </message>
    <message>
        <source>Delete later ones too</source>
        <translation>Excluir também as posteriores</translation>
    </message>
    <message>
        <source>Look for a new version once a day</source>
        <translation>Procurar uma nova versão uma vez por dia</translation>
    </message>
    <message>
        <source>The portable program only; “Updates…” says how yours is updated.</source>
        <translation>Só o programa portátil; “Atualizações…” diz como o seu é atualizado.</translation>
    </message>
    <message>
        <source>Updates</source>
        <translation>Atualizações</translation>
    </message>
    <message>
        <source>update upgrade release</source>
        <translation>atualização atualizar nova versão</translation>
    </message>
    <message>
        <source>A page is either around a message, or before or after one.</source>
        <translation>Uma página fica ao redor de uma mensagem, ou antes ou depois de uma.</translation>
    </message>
    <message>
        <source>Only your own messages can be edited.</source>
        <translation>Só suas próprias mensagens podem ser editadas.</translation>
    </message>
    <message>
        <source>Only an answer can get a version of this kind.</source>
        <translation>Só uma resposta pode receber uma versão deste tipo.</translation>
    </message>
    <message>
        <source>Only an answer that stopped before its end can be continued.</source>
        <translation>Só uma resposta que parou antes do fim pode ser continuada.</translation>
    </message>
    <message>
        <source>Personal</source>
        <translation>Pessoal</translation>
    </message>
    <message>
        <source>This project is in the trash.</source>
        <translation>Este projeto está na lixeira.</translation>
    </message>
    <message>
        <source>This is the last project, and new threads need one.</source>
        <translation>Este é o último projeto, e novas conversas precisam de um.</translation>
    </message>
    <message>
        <source>Make another one first.</source>
        <translation>Crie outro antes.</translation>
    </message>
    <message>
        <source>A project needs a name.</source>
        <translation>Um projeto precisa de um nome.</translation>
    </message>
    <message>
        <source>A project&apos;s name has at most {longest_name} characters.</source>
        <translation>O nome de um projeto tem no máximo {longest_name} caracteres.</translation>
    </message>
    <message>
        <source>Choose a shorter one.</source>
        <translation>Escolha um mais curto.</translation>
    </message>
    <message>
        <source>This answer is not waiting to be started.</source>
        <translation>Esta resposta não está esperando para ser iniciada.</translation>
    </message>
    <message>
        <source>This answer has ended; nothing can be added to it.</source>
        <translation>Esta resposta terminou; nada pode ser acrescentado a ela.</translation>
    </message>
    <message>
        <source>A turn cannot end in a state that is not final.</source>
        <translation>Um turno não pode terminar em um estado que não é final.</translation>
    </message>
    <message>
        <source>This answer has ended already.</source>
        <translation>Esta resposta já terminou.</translation>
    </message>
    <message>
        <source>There is a tag “{key}” already.</source>
        <translation>Já há uma etiqueta “{key}”.</translation>
    </message>
    <message>
        <source>Choose another name.</source>
        <translation>Escolha outro nome.</translation>
    </message>
    <message>
        <source>A tag needs a name.</source>
        <translation>Uma etiqueta precisa de um nome.</translation>
    </message>
    <message>
        <source>A tag&apos;s name has at most {longest_name} characters.</source>
        <translation>O nome de uma etiqueta tem no máximo {longest_name} caracteres.</translation>
    </message>
    <message>
        <source>There is no tag with that id.</source>
        <translation>Não há etiqueta com esse id.</translation>
    </message>
    <message>
        <source>There is another tag “{name}” now.</source>
        <translation>Já há outra etiqueta “{name}”.</translation>
    </message>
    <message>
        <source>Rename that one and try again.</source>
        <translation>Renomeie essa e tente novamente.</translation>
    </message>
    <message>
        <source>That is not a place in the list.</source>
        <translation>Esse não é um lugar na lista.</translation>
    </message>
    <message>
        <source>Start from the first page.</source>
        <translation>Comece da primeira página.</translation>
    </message>
    <message>
        <source>The text of this message was removed for good after its time in the trash.</source>
        <translation>O texto desta mensagem foi removido definitivamente depois de seu tempo na lixeira.</translation>
    </message>
    <message>
        <source>{thread_ids} of {thread_ids_2} threads are not, or no longer, in the trash.</source>
        <translation>{thread_ids} de {thread_ids_2} conversas não estão (mais) na lixeira.</translation>
    </message>
    <message>
        <source>Select those that are and try again.</source>
        <translation>Selecione as que estão e tente novamente.</translation>
    </message>
    <message>
        <source>The backup that was just made is damaged, so it was not kept.</source>
        <translation>O backup que acaba de ser feito está danificado, então não foi mantido.</translation>
    </message>
    <message>
        <source>The backup that was just made is not complete, so it was not kept.</source>
        <translation>O backup que acaba de ser feito não está completo, então não foi mantido.</translation>
    </message>
    <message>
        <source>The database is not open.</source>
        <translation>O banco de dados não está aberto.</translation>
    </message>
    <message>
        <source>The database is closed.</source>
        <translation>O banco de dados está fechado.</translation>
    </message>
    <message>
        <source>ChatDesk is reading this database while another program writes to it.</source>
        <translation>O ChatDesk está lendo este banco de dados enquanto outro programa grava nele.</translation>
    </message>
    <message>
        <source>The database {path} could not be used.</source>
        <translation>O banco de dados {path} não pôde ser usado.</translation>
    </message>
    <message>
        <source>Another program is using the database {path}.</source>
        <translation>Outro programa está usando o banco de dados {path}.</translation>
    </message>
    <message>
        <source>The database {path} cannot be written to.</source>
        <translation>Não é possível gravar no banco de dados {path}.</translation>
    </message>
    <message>
        <source>The database file {path} is damaged.</source>
        <translation>O arquivo do banco de dados {path} está danificado.</translation>
    </message>
    <message>
        <source>The disk of {folder} is full, so this could not be saved.</source>
        <translation>O disco de {folder} está cheio, então isto não pôde ser salvo.</translation>
    </message>
    <message>
        <source>The disk reported an error while {file} was used.</source>
        <translation>O disco informou um erro enquanto era usado: {file}.</translation>
    </message>
    <message>
        <source>the database</source>
        <translation>o banco de dados</translation>
    </message>
    <message>
        <source>What was saved before is unchanged; what was not confirmed counts as not saved.</source>
        <translation>O que foi salvo antes não mudou; o que não foi confirmado conta como não salvo.</translation>
    </message>
    <message>
        <source>Check the disk and its free space, then try again.</source>
        <translation>Verifique o disco e seu espaço livre e tente novamente.</translation>
    </message>
    <message>
        <source>Change its owner or permissions, or choose another data directory.</source>
        <translation>Altere seu dono ou suas permissões, ou escolha outro diretório de dados.</translation>
    </message>
    <message>
        <source>{path} is a directory, not a database file.</source>
        <translation>{path} é um diretório, não um arquivo de banco de dados.</translation>
    </message>
    <message>
        <source>Choose another data directory.</source>
        <translation>Escolha outro diretório de dados.</translation>
    </message>
    <message>
        <source>{path} is not a file, so it is no database.</source>
        <translation>{path} não é um arquivo, portanto não é um banco de dados.</translation>
    </message>
    <message>
        <source>The directory {parent} does not exist.</source>
        <translation>O diretório {parent} não existe.</translation>
    </message>
    <message>
        <source>Create it or choose another one.</source>
        <translation>Crie-o ou escolha outro.</translation>
    </message>
    <message>
        <source>The database file {path} may not be opened by this user.</source>
        <translation>O arquivo do banco de dados {path} não pode ser aberto por este usuário.</translation>
    </message>
    <message>
        <source>The directory {parent} may not be read by this user.</source>
        <translation>O diretório {parent} não pode ser lido por este usuário.</translation>
    </message>
    <message>
        <source>No database can be created in {parent}.</source>
        <translation>Nenhum banco de dados pode ser criado em {parent}.</translation>
    </message>
    <message>
        <source>The database file {path} cannot be opened.</source>
        <translation>O arquivo do banco de dados {path} não pode ser aberto.</translation>
    </message>
    <message>
        <source>the last changes</source>
        <translation>as últimas alterações</translation>
    </message>
    <message>
        <source>The database is older than it was when ChatDesk last saved: {lost} may be missing. This happens when a backup was restored, or when a file was lost. Nothing else was changed. Look for a newer backup in the backup directory if you did not restore one yourself.</source>
        <translation>O banco de dados é mais antigo do que era quando o ChatDesk salvou pela última vez: {lost} podem faltar. Isso acontece quando um backup foi restaurado ou quando um arquivo se perdeu. Nada mais foi alterado. Procure um backup mais novo no diretório de backups se você mesmo não restaurou um.</translation>
    </message>
    <message>
        <source>This data belongs to a newer ChatDesk (schema {revision}, here {head_revision}), so this one can only read it.</source>
        <translation>Estes dados pertencem a um ChatDesk mais novo (esquema {revision}, aqui {head_revision}), então este só pode lê-los.</translation>
    </message>
    <message>
        <source>You can read, search, copy and export your threads; nothing is changed.</source>
        <translation>Você pode ler, buscar, copiar e exportar suas conversas; nada é alterado.</translation>
    </message>
    <message>
        <source>Update ChatDesk to continue writing, or restore the backup from before the upgrade (Help, Upgrades and the way back).</source>
        <translation>Atualize o ChatDesk para continuar escrevendo, ou restaure o backup de antes da atualização (Ajuda, Atualizações e o caminho de volta).</translation>
    </message>
    <message>
        <source>This database has schema version {revision}; this ChatDesk knows versions up to {head_revision}, and cannot read it: “{lacking}” is not there as it knows it.</source>
        <translation>Este banco de dados tem a versão de esquema {revision}; este ChatDesk conhece versões até {head_revision} e não consegue lê-lo: “{lacking}” não está lá como ele o conhece.</translation>
    </message>
    <message>
        <source>This request was carried out before, and its result is no longer known.</source>
        <translation>Esta solicitação já foi executada, e o resultado não é mais conhecido.</translation>
    </message>
    <message>
        <source>This was done before.</source>
        <translation>Isto foi feito antes.</translation>
    </message>
    <message>
        <source>Nothing was done twice.</source>
        <translation>Nada foi feito duas vezes.</translation>
    </message>
    <message>
        <source>This was changed by somebody else in the meantime.</source>
        <translation>Isto foi alterado por outra pessoa nesse meio-tempo.</translation>
    </message>
    <message>
        <source>Look at the current state, then make your change again.</source>
        <translation>Veja o estado atual e faça a alteração de novo.</translation>
    </message>
    <message>
        <source>The database contains something that ChatDesk did not put there: {first}{more}.</source>
        <translation>O banco de dados contém algo que o ChatDesk não pôs lá: {first}{more}.</translation>
    </message>
    <message>
        <source>None of it was used, and the file was left as it is.</source>
        <translation>Nada disso foi usado, e o arquivo foi deixado como está.</translation>
    </message>
    <message>
        <source>Run &apos;chatdesk doctor --repair&apos;: it copies your messages into a new database and keeps this one.</source>
        <translation>Execute &apos;chatdesk doctor --repair&apos;: ele copia suas mensagens para um novo banco de dados e mantém este.</translation>
    </message>
    <message>
        <source>The file is a database, but not one of ChatDesk&apos;s.</source>
        <translation>O arquivo é um banco de dados, mas não um do ChatDesk.</translation>
    </message>
    <message>
        <source>The database does not say which version its schema has, so it is damaged.</source>
        <translation>O banco de dados não diz qual é a versão do seu esquema, portanto está danificado.</translation>
    </message>
    <message>
        <source>This database has schema version {revision}, from before the first release.</source>
        <translation>Este banco de dados tem a versão de esquema {revision}, anterior ao primeiro lançamento.</translation>
    </message>
    <message>
        <source>This database has schema version {revision}; this ChatDesk knows versions up to {head_revision}.</source>
        <translation>Este banco de dados tem a versão de esquema {revision}; este ChatDesk conhece versões até {head_revision}.</translation>
    </message>
    <message>
        <source>The database could not be upgraded from schema version {revision} to {head_revision}.</source>
        <translation>O banco de dados não pôde ser atualizado da versão de esquema {revision} para {head_revision}.</translation>
    </message>
    <message>
        <source>It was left as it was and can be read; a verified backup is at {saved}.</source>
        <translation>Foi deixado como estava e pode ser lido; há um backup verificado em {saved}.</translation>
    </message>
    <message>
        <source>The database file is damaged, so it was not upgraded.</source>
        <translation>O arquivo do banco de dados está danificado, então não foi atualizado.</translation>
    </message>
    <message>
        <source>The database must be upgraded, which needs {needed} MB of free space; there are {free} MB.</source>
        <translation>O banco de dados precisa ser atualizado, o que exige {needed} MB de espaço livre; há {free} MB.</translation>
    </message>
    <message>
        <source>The database was not touched.</source>
        <translation>O banco de dados não foi tocado.</translation>
    </message>
    <message>
        <source>Free some space; ChatDesk then continues by itself.</source>
        <translation>Libere espaço; depois disso o ChatDesk continua sozinho.</translation>
    </message>
    <message>
        <source>The upgrade would have left rows that point to nothing, so it was undone.</source>
        <translation>A atualização teria deixado linhas que não apontam para nada, então foi desfeita.</translation>
    </message>
    <message>
        <source>The upgrade would have changed the number of rows in {changed}; it was undone.</source>
        <translation>A atualização teria mudado o número de linhas em {changed}; foi desfeita.</translation>
    </message>
    <message numerus="yes">
        <source>delete {count} threads</source>
        <comment>delete thread</comment>
        <translation>
            <numerusform>excluir conversa</numerusform>
            <numerusform>excluir {count} conversas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>restore {count} threads</source>
        <comment>restore thread</comment>
        <translation>
            <numerusform>restaurar conversa</numerusform>
            <numerusform>restaurar {count} conversas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>tag {count} threads</source>
        <comment>tag thread</comment>
        <translation>
            <numerusform>etiquetar conversa</numerusform>
            <numerusform>etiquetar {count} conversas</numerusform>
        </translation>
    </message>
    <message>
        <source>delete tag {name}</source>
        <translation>excluir etiqueta {name}</translation>
    </message>
    <message>
        <source>delete project {name}</source>
        <translation>excluir projeto {name}</translation>
    </message>
    <message>
        <source>restore project {name}</source>
        <translation>restaurar projeto {name}</translation>
    </message>
    <message>
        <source>This thread is gone for good.</source>
        <translation>Esta conversa se foi definitivamente.</translation>
    </message>
    <message>
        <source>{missing} of {thread_ids} threads are gone for good.</source>
        <translation>{missing} de {thread_ids} conversas se foram definitivamente.</translation>
    </message>
    <message>
        <source>Select those that are left and try again.</source>
        <translation>Selecione as que restam e tente novamente.</translation>
    </message>
    <message numerus="yes">
        <source>{count} of {all} threads are in the trash.</source>
        <comment>{count} of {all} threads is in the trash.</comment>
        <translation>
            <numerusform>{count} de {all} conversas está na lixeira.</numerusform>
            <numerusform>{count} de {all} conversas estão na lixeira.</numerusform>
        </translation>
    </message>
    <message>
        <source>Restore them first, or select the others only.</source>
        <translation>Restaure-as antes ou selecione só as outras.</translation>
    </message>
    <message>
        <source>A thread of a shared project cannot be moved out of it, because others have it, too.</source>
        <translation>Uma conversa de um projeto compartilhado não pode ser movida para fora dele, porque outros também a têm.</translation>
    </message>
    <message>
        <source>Export it, and import it into the other project.</source>
        <translation>Exporte-a e importe-a no outro projeto.</translation>
    </message>
    <message>
        <source>The team knows this thread from the project it was shared in before.</source>
        <translation>A equipe conhece esta conversa do projeto em que foi compartilhada antes.</translation>
    </message>
    <message>
        <source>Branch it at its last message, and move the branch.</source>
        <translation>Ramifique-a na última mensagem e mova a ramificação.</translation>
    </message>
    <message>
        <source>This project is shared, so you cannot delete it.</source>
        <translation>Este projeto é compartilhado, então você não pode excluí-lo.</translation>
    </message>
    <message>
        <source>Stop sharing it first; then delete your copy.</source>
        <translation>Pare de compartilhá-lo antes; depois exclua sua cópia.</translation>
    </message>
    <message>
        <source>This project is shared by others, so you cannot delete it.</source>
        <translation>Este projeto é compartilhado por outros, então você não pode excluí-lo.</translation>
    </message>
    <message>
        <source>Leave it first; then delete your copy.</source>
        <translation>Saia dele antes; depois exclua sua cópia.</translation>
    </message>
    <message>
        <source>The library holds {most_prompts} prompts at most.</source>
        <translation>A biblioteca contém no máximo {most_prompts} prompts.</translation>
    </message>
    <message>
        <source>Delete some that you do not use.</source>
        <translation>Exclua alguns que você não usa.</translation>
    </message>
    <message>
        <source>The last changes cannot be shown: they are in the database&apos;s log, which can only be read where files can be created. Nothing was changed. Make the data directory writable, or copy it to a place that is, and start ChatDesk again.</source>
        <translation>As últimas alterações não podem ser mostradas: estão no log do banco de dados, que só pode ser lido onde arquivos podem ser criados. Nada foi alterado. Torne o diretório de dados gravável, ou copie-o para onde seja, e inicie de novo.</translation>
    </message>
    <message>
        <source>The disk of {directory} is full, so ChatDesk can only read.</source>
        <translation>O disco de {directory} está cheio, então o ChatDesk só pode ler.</translation>
    </message>
    <message>
        <source>There is no database at {path}.</source>
        <translation>Não há banco de dados em {path}.</translation>
    </message>
    <message>
        <source>Nothing was created.</source>
        <translation>Nada foi criado.</translation>
    </message>
    <message>
        <source>Start ChatDesk once, or choose another --data-dir.</source>
        <translation>Inicie o ChatDesk uma vez ou escolha outro --data-dir.</translation>
    </message>
    <message>
        <source>No project is called “{value}”.</source>
        <translation>Nenhum projeto se chama “{value}”.</translation>
    </message>
    <message>
        <source>No tag is called “{value}”.</source>
        <translation>Nenhuma etiqueta se chama “{value}”.</translation>
    </message>
    <message>
        <source>This data belongs to a newer ChatDesk, whose search index this one cannot read.</source>
        <translation>Estes dados pertencem a um ChatDesk mais novo, cujo índice de busca este não consegue ler.</translation>
    </message>
    <message>
        <source>The search index is damaged and is being rebuilt. Your messages are not affected.</source>
        <translation>O índice de busca está danificado e está sendo refeito. Suas mensagens não foram afetadas.</translation>
    </message>
    <message>
        <source>Nobody else has this: its project is not shared.</source>
        <translation>Ninguém mais tem isto: seu projeto não é compartilhado.</translation>
    </message>
    <message>
        <source>Delete it, and empty the trash.</source>
        <translation>Exclua-o e esvazie a lixeira.</translation>
    </message>
    <message>
        <source>You wrote none of this, so you cannot erase it for everybody.</source>
        <translation>Você não escreveu nada disto, então não pode apagá-lo para todos.</translation>
    </message>
    <message>
        <source>Ask an owner or admin of the project, who may erase what others wrote.</source>
        <translation>Peça a um proprietário ou administrador do projeto, que pode apagar o que outros escreveram.</translation>
    </message>
    <message>
        <source>Your role in this project does not permit it. Ask one of its owners for another role, then try again.</source>
        <translation>Seu papel neste projeto não o permite. Peça outro papel a um de seus proprietários e tente novamente.</translation>
    </message>
    <message>
        <source>The thread or message that this belongs to is not on the team&apos;s server. Copy the text out to keep it elsewhere.</source>
        <translation>A conversa ou mensagem a que isto pertence não está no servidor da equipe. Copie o texto para guardá-lo em outro lugar.</translation>
    </message>
    <message>
        <source>The team&apos;s server has something else in this place. Copy it out to keep it elsewhere.</source>
        <translation>O servidor da equipe tem outra coisa neste lugar. Copie-o para guardá-lo em outro lugar.</translation>
    </message>
    <message>
        <source>This is larger than the {max_body_bytes} MB that the team&apos;s server takes in one change. Copy it out, or write it in parts.</source>
        <translation>Isto é maior que os {max_body_bytes} MB que o servidor da equipe aceita em uma alteração. Copie-o, ou escreva em partes.</translation>
    </message>
    <message>
        <source>Another member wrote something else here at the same time, which everybody sees. Try again to put this in its place, or copy it out.</source>
        <translation>Outro membro escreveu outra coisa aqui ao mesmo tempo, e é o que todos veem. Tente novamente para colocar isto no lugar, ou copie-o.</translation>
    </message>
    <message>
        <source>The team&apos;s server did not take this. Try again, or copy it out.</source>
        <translation>O servidor da equipe não aceitou isto. Tente novamente ou copie-o.</translation>
    </message>
    <message>
        <source>There is no text in these changes that could be copied.</source>
        <translation>Não há texto nestas alterações que possa ser copiado.</translation>
    </message>
    <message>
        <source>This project is shared already.</source>
        <translation>Este projeto já é compartilhado.</translation>
    </message>
    <message>
        <source>{deleted_by} deleted this thread; it is back because {by} wrote in it at the same time.</source>
        <translation>{deleted_by} excluiu esta conversa; ela está de volta porque {by} escreveu nela ao mesmo tempo.</translation>
    </message>
    <message>
        <source>{deleted_by} deleted a message here; it is back because {by} wrote below it at the same time.</source>
        <translation>{deleted_by} excluiu uma mensagem aqui; ela está de volta porque {by} escreveu abaixo dela ao mesmo tempo.</translation>
    </message>
    <message>
        <source>Messages are kept for 1 to {longest_retention_days} days.</source>
        <translation>Mensagens são guardadas por 1 a {longest_retention_days} dias.</translation>
    </message>
    <message>
        <source>The daily backup was not made: it needs {needed} MB, {free} MB are free.</source>
        <translation>O backup diário não foi feito: precisa de {needed} MB, {free} MB estão livres.</translation>
    </message>
    <message>
        <source>Your messages are kept, and so are the older backups.</source>
        <translation>Suas mensagens foram mantidas, e os backups mais antigos também.</translation>
    </message>
    <message>
        <source>Free some space; ChatDesk tries again within the hour.</source>
        <translation>Libere espaço; o ChatDesk tenta de novo dentro de uma hora.</translation>
    </message>
    <message>
        <source>no backup</source>
        <translation>nenhum backup</translation>
    </message>
    <message>
        <source>Your messages and the older backups are unchanged.</source>
        <translation>Suas mensagens e os backups mais antigos não mudaram.</translation>
    </message>
    <message>
        <source>Check the disk; ChatDesk tries again within the hour.</source>
        <translation>Verifique o disco; o ChatDesk tenta de novo dentro de uma hora.</translation>
    </message>
    <message>
        <source>{name} is not a complete backup of ChatDesk.</source>
        <translation>{name} não é um backup completo do ChatDesk.</translation>
    </message>
    <message>
        <source>Choose another backup.</source>
        <translation>Escolha outro backup.</translation>
    </message>
    <message>
        <source>There is no backup at {path}.</source>
        <translation>Não há backup em {path}.</translation>
    </message>
    <message>
        <source>The daily check found damage in the database file.</source>
        <translation>A verificação diária encontrou danos no arquivo do banco de dados.</translation>
    </message>
    <message>
        <source>Nothing was changed, and what you see can still be read; there is no backup yet.</source>
        <translation>Nada foi alterado, e o que você vê ainda pode ser lido; ainda não há backup.</translation>
    </message>
    <message>
        <source>Export the threads you need, then run &apos;chatdesk doctor&apos; for details.</source>
        <translation>Exporte as conversas de que precisa e depois execute &apos;chatdesk doctor&apos; para ver detalhes.</translation>
    </message>
    <message>
        <source>Nothing was changed. The newest good backup is {path}.</source>
        <translation>Nada foi alterado. O backup bom mais novo é {path}.</translation>
    </message>
    <message>
        <source>Export what is newer than that, then restore the backup: Settings, Data and backup, or &apos;chatdesk restore&apos;.</source>
        <translation>Exporte o que for mais novo que ele e depois restaure o backup: Configurações, Dados e backup, ou &apos;chatdesk restore&apos;.</translation>
    </message>
    <message>
        <source>Project {project} is in the trash, but not all of its threads are.</source>
        <translation>O projeto {project} está na lixeira, mas nem todas as suas conversas.</translation>
    </message>
    <message>
        <source>Messages of thread {thread} are out of place.</source>
        <translation>Há mensagens da conversa {thread} fora do lugar.</translation>
    </message>
    <message>
        <source>In thread {thread} a message that is chosen below another is not below it.</source>
        <translation>Na conversa {thread}, uma mensagem escolhida abaixo de outra não está abaixo dela.</translation>
    </message>
    <message>
        <source>The choice of shown messages of thread {thread} is broken.</source>
        <translation>Na conversa {thread}, a escolha das mensagens mostradas está danificada.</translation>
    </message>
    <message>
        <source>The file of part {part} is missing in the list of files.</source>
        <translation>O arquivo da parte {part} falta na lista de arquivos.</translation>
    </message>
    <message numerus="yes">
        <source>{count} projects with threads outside the trash were taken out of the trash.</source>
        <comment>{count} project with threads outside the trash was taken out of the trash.</comment>
        <translation>
            <numerusform>{count} projeto com conversas fora da lixeira foi tirado da lixeira.</numerusform>
            <numerusform>{count} projetos com conversas fora da lixeira foram tirados da lixeira.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The messages of {count} threads were put in their places again.</source>
        <comment>The messages of {count} thread were put in their places again.</comment>
        <translation>
            <numerusform>As mensagens de {count} conversa foram postas em seus lugares de novo.</numerusform>
            <numerusform>As mensagens de {count} conversas foram postas em seus lugares de novo.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Choices of versions that led nowhere were removed in {count} threads.</source>
        <comment>Choices of versions that led nowhere were removed in {count} thread.</comment>
        <translation>
            <numerusform>Escolhas de versões que não levavam a lugar nenhum foram removidas em {count} conversa.</numerusform>
            <numerusform>Escolhas de versões que não levavam a lugar nenhum foram removidas em {count} conversas.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The choice of shown messages was repaired in {count} threads.</source>
        <comment>The choice of shown messages was repaired in {count} thread.</comment>
        <translation>
            <numerusform>A escolha das mensagens mostradas foi reparada em {count} conversa.</numerusform>
            <numerusform>A escolha das mensagens mostradas foi reparada em {count} conversas.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} attached files were entered in the list of files again, from which they were missing.</source>
        <comment>{count} attached file was entered in the list of files again, from which it was missing.</comment>
        <translation>
            <numerusform>{count} arquivo anexado que faltava na lista de arquivos foi registrado de novo.</numerusform>
            <numerusform>{count} arquivos anexados que faltavam na lista de arquivos foram registrados de novo.</numerusform>
        </translation>
    </message>
    <message>
        <source>The database as it was before the repair is kept at {kept}.</source>
        <translation>O banco de dados como era antes do reparo está guardado em {kept}.</translation>
    </message>
    <message>
        <source>Nothing was wrong.</source>
        <translation>Nada estava errado.</translation>
    </message>
    <message>
        <source>The file is too damaged for SQLite to check it.</source>
        <translation>O arquivo está danificado demais para o SQLite verificá-lo.</translation>
    </message>
    <message>
        <source>The search index was rebuilt; it is filled in the background.</source>
        <translation>O índice de busca foi refeito; ele é preenchido em segundo plano.</translation>
    </message>
    <message numerus="yes">
        <source>The last shown message was determined again in {count} threads.</source>
        <comment>The last shown message was determined again in {count} thread.</comment>
        <translation>
            <numerusform>A última mensagem mostrada foi determinada de novo em {count} conversa.</numerusform>
            <numerusform>A última mensagem mostrada foi determinada de novo em {count} conversas.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The counters of {count} threads were corrected.</source>
        <comment>The counters of {count} thread were corrected.</comment>
        <translation>
            <numerusform>Os contadores de {count} conversa foram corrigidos.</numerusform>
            <numerusform>Os contadores de {count} conversas foram corrigidos.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads whose project is missing were moved to a private project.</source>
        <comment>{count} thread whose project is missing was moved to a private project.</comment>
        <translation>
            <numerusform>{count} conversa cujo projeto falta foi movida para um projeto privado.</numerusform>
            <numerusform>{count} conversas cujo projeto falta foram movidas para um projeto privado.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages whose previous message is missing now begin a version of their own.</source>
        <comment>{count} message whose previous message is missing now begins a version of its own.</comment>
        <translation>
            <numerusform>{count} mensagem cuja mensagem anterior falta agora começa uma versão própria.</numerusform>
            <numerusform>{count} mensagens cuja mensagem anterior falta agora começam uma versão própria.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} drafts whose thread is missing were added to the draft of a new thread.</source>
        <comment>{count} draft whose thread is missing was added to the draft of a new thread.</comment>
        <translation>
            <numerusform>{count} rascunho cuja conversa falta foi acrescentado ao rascunho de uma nova conversa.</numerusform>
            <numerusform>{count} rascunhos cuja conversa falta foram acrescentados ao rascunho de uma nova conversa.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} rows of {table} that belonged to nothing were removed.</source>
        <comment>{count} row of {table} that belonged to nothing was removed.</comment>
        <translation>
            <numerusform>{count} linha de {table} que não pertencia a nada foi removida.</numerusform>
            <numerusform>{count} linhas de {table} que não pertenciam a nada foram removidas.</numerusform>
        </translation>
    </message>
    <message>
        <source>The search index is damaged.</source>
        <translation>O índice de busca está danificado.</translation>
    </message>
    <message>
        <source>The file itself is damaged (problems found: {found}), so nothing was changed in it.</source>
        <translation>O próprio arquivo está danificado (problemas encontrados: {found}), então nada foi alterado nele.</translation>
    </message>
    <message>
        <source>It was left as it is; a backup may still have the original.</source>
        <translation>Foi deixado como está; talvez um backup ainda tenha o original.</translation>
    </message>
    <message>
        <source>A backup made with &apos;chatdesk backup FILE&apos; contains it, if it was made in time.</source>
        <translation>Um backup feito com &apos;chatdesk backup FILE&apos; o contém, se foi feito a tempo.</translation>
    </message>
    <message>
        <source>It could not be repaired.</source>
        <translation>Não foi possível reparar.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads that had lost title and settings are called “{recovered_title}”.</source>
        <comment>{count} thread that had lost title and settings is called “{recovered_title}”.</comment>
        <translation>
            <numerusform>{count} conversa que tinha perdido título e configurações se chama “{recovered_title}”.</numerusform>
            <numerusform>{count} conversas que tinham perdido título e configurações se chamam “{recovered_title}”.</numerusform>
        </translation>
    </message>
    <message>
        <source>Press Connect again in Settings, Team sync, or run &apos;chatdesk team join&apos;: then what was lost of shared projects is fetched from the team&apos;s server as far as it is there.</source>
        <translation>Pressione “Conectar de novo” em Configurações, Sincronização da equipe, ou execute &apos;chatdesk team join&apos;: então o que se perdeu dos projetos compartilhados é buscado no servidor da equipe, na medida em que estiver lá.</translation>
    </message>
    <message>
        <source>Restore a backup, or close ChatDesk and run &apos;chatdesk doctor --repair&apos;, which copies what can still be read.</source>
        <translation>Restaure um backup, ou feche o ChatDesk e execute &apos;chatdesk doctor --repair&apos;, que copia o que ainda pode ser lido.</translation>
    </message>
    <message>
        <source>{name} needs more time or memory than a backup of its size should, so ChatDesk stopped reading it.</source>
        <translation>{name} precisa de mais tempo ou memória do que um backup do seu tamanho deveria, então o ChatDesk parou de lê-lo.</translation>
    </message>
    <message>
        <source>Checking the backup needs up to {needed} MB; {free} MB are free.</source>
        <translation>Verificar o backup exige até {needed} MB; há {free} MB livres.</translation>
    </message>
    <message>
        <source>{name} would fill the disk if it were unpacked, so it was not.</source>
        <translation>{name} encheria o disco se fosse descompactado, então não foi.</translation>
    </message>
    <message>
        <source>There is not enough room on the disk for the contents of the backup.</source>
        <translation>Não há espaço suficiente no disco para o conteúdo do backup.</translation>
    </message>
    <message>
        <source>This backup was written by a newer ChatDesk.</source>
        <translation>Este backup foi gravado por um ChatDesk mais novo.</translation>
    </message>
    <message>
        <source>Update ChatDesk to restore it.</source>
        <translation>Atualize o ChatDesk para restaurá-lo.</translation>
    </message>
    <message>
        <source>{name} contains something that ChatDesk did not put there: {first}{more}.</source>
        <translation>{name} contém algo que o ChatDesk não pôs lá: {first}{more}.</translation>
    </message>
    <message>
        <source>{name} is damaged: some messages are replies to themselves.</source>
        <translation>{name} está danificado: algumas mensagens são respostas a si mesmas.</translation>
    </message>
    <message>
        <source>the column {column} of the table {table}</source>
        <translation>a coluna {column} da tabela {table}</translation>
    </message>
    <message>
        <source>the table {table}</source>
        <translation>a tabela {table}</translation>
    </message>
    <message>
        <source>{name} is not a complete backup of ChatDesk: {lack} is missing.</source>
        <translation>{name} não é um backup completo do ChatDesk: falta {lack}.</translation>
    </message>
    <message>
        <source>Nothing could be read from the damaged database.</source>
        <translation>Nada pôde ser lido do banco de dados danificado.</translation>
    </message>
    <message>
        <source>It was left as it is.</source>
        <translation>Foi deixado como está.</translation>
    </message>
    <message>
        <source>Restore the newest backup.</source>
        <translation>Restaure o backup mais novo.</translation>
    </message>
    <message>
        <source>Messages that could not be read but whose text was recovered in place: {placed}.</source>
        <translation>Mensagens que não puderam ser lidas, mas cujo texto foi recuperado no lugar: {placed}.</translation>
    </message>
    <message>
        <source>Recovered texts whose messages are lost, now in the thread “{title}”: {apart}.</source>
        <translation>Textos recuperados cujas mensagens se perderam, agora na conversa “{title}”: {apart}.</translation>
    </message>
    <message>
        <source>Putting in order what was copied…</source>
        <translation>Organizando o que foi copiado…</translation>
    </message>
    <message>
        <source>Problems that are left: {wrong}; &apos;chatdesk doctor&apos; lists them.</source>
        <translation>Problemas que restam: {wrong}; &apos;chatdesk doctor&apos; os lista.</translation>
    </message>
    <message>
        <source>{name}: the table could not be found in the file.</source>
        <translation>{name}: a tabela não foi encontrada no arquivo.</translation>
    </message>
    <message>
        <source>{name}: the table had lost its definition.</source>
        <translation>{name}: a tabela tinha perdido sua definição.</translation>
    </message>
    <message>
        <source>Reading {name}: {number} rows…</source>
        <translation>Lendo {name}: {number} linhas…</translation>
    </message>
    <message numerus="yes">
        <source>{name}: {count} rows had values that could not be read.</source>
        <comment>{name}: {count} row had values that could not be read.</comment>
        <translation>
            <numerusform>{name}: {count} linha tinha valores que não puderam ser lidos.</numerusform>
            <numerusform>{name}: {count} linhas tinham valores que não puderam ser lidos.</numerusform>
        </translation>
    </message>
    <message>
        <source>{name}: this is not a table of ChatDesk, so it was left out.</source>
        <translation>{name}: não é uma tabela do ChatDesk, então ficou de fora.</translation>
    </message>
    <message numerus="yes">
        <source>{count} places</source>
        <comment>{count} place</comment>
        <translation>
            <numerusform>{count} lugar</numerusform>
            <numerusform>{count} lugares</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}: {count} rows were copied; {places} could not be read.</source>
        <comment>{name}: {count} row was copied; {places} could not be read.</comment>
        <translation>
            <numerusform>{name}: {count} linha foi copiada; não foi possível ler em {places}.</numerusform>
            <numerusform>{name}: {count} linhas foram copiadas; não foi possível ler em {places}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}: {count} rows were copied; {left_out} that are there twice or make no sense were not.</source>
        <comment>{name}: {count} row was copied; {left_out} that are there twice or make no sense were not.</comment>
        <translation>
            <numerusform>{name}: {count} linha foi copiada; {left_out} repetidas ou sem sentido não foram.</numerusform>
            <numerusform>{name}: {count} linhas foram copiadas; {left_out} repetidas ou sem sentido não foram.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}: all {count} rows were copied.</source>
        <comment>{name}: the {count} row was copied.</comment>
        <translation>
            <numerusform>{name}: a {count} linha foi copiada.</numerusform>
            <numerusform>{name}: todas as {count} linhas foram copiadas.</numerusform>
        </translation>
    </message>
    <message>
        <source>The invitation names the server “{host}”, which only this computer reaches. Give the workspace a name or IP address that others reach before you invite anybody: Settings, Team sync, Address.</source>
        <translation>O convite indica o servidor “{host}”, que só este computador alcança. Dê ao espaço de trabalho um nome ou endereço IP que outros alcancem antes de convidar alguém: Configurações, Sincronização da equipe, Endereço.</translation>
    </message>
    <message>
        <source>The invitation names the server “{host}”, which is found in your own network only. Whoever is elsewhere needs a way into it, such as a VPN.</source>
        <translation>O convite indica o servidor “{host}”, que só é encontrado na sua própria rede. Quem estiver em outro lugar precisa de um acesso a ela, como uma VPN.</translation>
    </message>
    <message>
        <source>That is not the address of a Postgres database.</source>
        <translation>Esse não é o endereço de um banco de dados Postgres.</translation>
    </message>
    <message>
        <source>It looks like postgresql://name:password@db.example.org:5432/team; the server&apos;s operator shows it.</source>
        <translation>Ele é como postgresql://name:password@db.example.org:5432/team; o operador do servidor o mostra.</translation>
    </message>
    <message>
        <source>“{host}” is neither the name nor the IP address of a server.</source>
        <translation>“{host}” não é nem o nome nem o endereço IP de um servidor.</translation>
    </message>
    <message>
        <source>A port is a number from 1 to 65535.</source>
        <translation>Uma porta é um número de 1 a 65535.</translation>
    </message>
    <message>
        <source>The name of the database is missing, or has characters that ChatDesk does not accept.</source>
        <translation>O nome do banco de dados falta ou tem caracteres que o ChatDesk não aceita.</translation>
    </message>
    <message>
        <source>The name of the login is missing, or has characters that ChatDesk does not accept.</source>
        <translation>O nome do login falta ou tem caracteres que o ChatDesk não aceita.</translation>
    </message>
    <message>
        <source>ChatDesk does not know this kind of encryption.</source>
        <translation>O ChatDesk não conhece este tipo de criptografia.</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s daily limit of text for each member.</source>
        <translation>Você atingiu o limite diário de texto por membro do espaço de trabalho.</translation>
    </message>
    <message>
        <source>This project has reached the workspace&apos;s daily limit of text for each project.</source>
        <translation>Este projeto atingiu o limite diário de texto por projeto do espaço de trabalho.</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s daily limit of files for each member.</source>
        <translation>Você atingiu o limite diário de arquivos por membro do espaço de trabalho.</translation>
    </message>
    <message>
        <source>This project has reached the workspace&apos;s daily limit of files for each project.</source>
        <translation>Este projeto atingiu o limite diário de arquivos por projeto do espaço de trabalho.</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s limit of changes a minute for each member.</source>
        <translation>Você atingiu o limite de alterações por minuto e por membro do espaço de trabalho.</translation>
    </message>
    <message>
        <source>ChatDesk continues by itself tomorrow (UTC). An owner of the workspace can raise the limit.</source>
        <translation>O ChatDesk continua sozinho amanhã (UTC). Um proprietário do espaço de trabalho pode aumentar o limite.</translation>
    </message>
    <message>
        <source>ChatDesk continues by itself in a minute.</source>
        <translation>O ChatDesk continua sozinho em um minuto.</translation>
    </message>
    <message>
        <source>The workspace has reached its limit of members.</source>
        <translation>O espaço de trabalho atingiu o limite de membros.</translation>
    </message>
    <message>
        <source>An owner of the workspace can raise the limit, or remove somebody.</source>
        <translation>Um proprietário do espaço de trabalho pode aumentar o limite ou remover alguém.</translation>
    </message>
    <message>
        <source>The workspace has reached its limit of open invitations.</source>
        <translation>O espaço de trabalho atingiu o limite de convites abertos.</translation>
    </message>
    <message>
        <source>Withdraw some, or wait until they expire. An owner of the workspace can raise the limit.</source>
        <translation>Retire alguns ou espere até que expirem. Um proprietário do espaço de trabalho pode aumentar o limite.</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s limit of shared projects for each member.</source>
        <translation>Você atingiu o limite de projetos compartilhados por membro do espaço de trabalho.</translation>
    </message>
    <message>
        <source>An owner of the workspace can raise the limit.</source>
        <translation>Um proprietário do espaço de trabalho pode aumentar o limite.</translation>
    </message>
    <message>
        <source>What the team&apos;s server sends does not fit what it sent before.</source>
        <translation>O que o servidor da equipe envia não combina com o que enviou antes.</translation>
    </message>
    <message>
        <source>What was received before stays readable, and everything you wrote is kept on this computer.</source>
        <translation>O que foi recebido antes continua legível, e tudo o que você escreveu é mantido neste computador.</translation>
    </message>
    <message>
        <source>The team&apos;s database cannot be reached.</source>
        <translation>O banco de dados da equipe não pode ser alcançado.</translation>
    </message>
    <message>
        <source>ChatDesk tries again by itself.</source>
        <translation>O ChatDesk tenta de novo sozinho.</translation>
    </message>
    <message>
        <source>The team&apos;s database is busy with another member&apos;s change.</source>
        <translation>O banco de dados da equipe está ocupado com a alteração de outro membro.</translation>
    </message>
    <message>
        <source>The team&apos;s database waits for an unfinished change of {by}.</source>
        <translation>O banco de dados da equipe espera por uma alteração inacabada de {by}.</translation>
    </message>
    <message>
        <source>{next_step} If it stays so, an owner of the workspace can end their connections.</source>
        <translation>{next_step} Se continuar assim, um proprietário do espaço de trabalho pode encerrar as conexões dele.</translation>
    </message>
    <message>
        <source>A limit of the workspace is reached.</source>
        <translation>Um limite do espaço de trabalho foi atingido.</translation>
    </message>
    <message>
        <source>An owner of the workspace can change it.</source>
        <translation>Um proprietário do espaço de trabalho pode alterá-lo.</translation>
    </message>
    <message>
        <source>Another member of the workspace has this name.</source>
        <translation>Outro membro do espaço de trabalho tem este nome.</translation>
    </message>
    <message>
        <source>Choose a name that tells you apart.</source>
        <translation>Escolha um nome que os distinga.</translation>
    </message>
    <message>
        <source>This address leads to another team&apos;s database than the one you joined.</source>
        <translation>Este endereço leva a outro banco de dados de equipe, não àquele em que você entrou.</translation>
    </message>
    <message>
        <source>Ask the workspace&apos;s owner for the address, or join the other workspace on its own.</source>
        <translation>Peça o endereço ao proprietário do espaço de trabalho, ou entre no outro espaço de trabalho separadamente.</translation>
    </message>
    <message>
        <source>The password for the team&apos;s database cannot be found on this computer.</source>
        <translation>A senha do banco de dados da equipe não pode ser encontrada neste computador.</translation>
    </message>
    <message>
        <source>Unlock the keyring, or enter the password in Settings, Team sync.</source>
        <translation>Desbloqueie o chaveiro ou digite a senha em Configurações, Sincronização da equipe.</translation>
    </message>
    <message>
        <source>This address leads to a pooler that gives each transaction another connection.</source>
        <translation>Este endereço leva a um pooler que dá a cada transação outra conexão.</translation>
    </message>
    <message>
        <source>Use the server&apos;s direct port, or session pooling.</source>
        <translation>Use a porta direta do servidor ou o pooling por sessão.</translation>
    </message>
    <message>
        <source>The team&apos;s database did not answer in time.</source>
        <translation>O banco de dados da equipe não respondeu a tempo.</translation>
    </message>
    <message>
        <source>The server of the team&apos;s database was not found under its name.</source>
        <translation>O servidor do banco de dados da equipe não foi encontrado pelo nome.</translation>
    </message>
    <message>
        <source>Check the name and your network. ChatDesk tries again by itself.</source>
        <translation>Verifique o nome e sua rede. O ChatDesk tenta de novo sozinho.</translation>
    </message>
    <message>
        <source>The team&apos;s database takes no more connections at the moment.</source>
        <translation>O banco de dados da equipe não aceita mais conexões no momento.</translation>
    </message>
    <message>
        <source>ChatDesk tries again by itself. If it stays so, the server&apos;s max_connections is too small.</source>
        <translation>O ChatDesk tenta de novo sozinho. Se continuar assim, max_connections do servidor é pequeno demais.</translation>
    </message>
    <message>
        <source>The team&apos;s database cannot be written to at the moment: its server is a standby, or was made read-only.</source>
        <translation>Não é possível gravar no banco de dados da equipe no momento: seu servidor é um standby ou foi tornado somente leitura.</translation>
    </message>
    <message>
        <source>ChatDesk tries again by itself. If it stays so, tell whoever runs the server.</source>
        <translation>O ChatDesk tenta de novo sozinho. Se continuar assim, avise quem opera o servidor.</translation>
    </message>
    <message>
        <source>The disk of the team&apos;s server is full.</source>
        <translation>O disco do servidor da equipe está cheio.</translation>
    </message>
    <message>
        <source>Tell whoever runs the server. ChatDesk tries again by itself.</source>
        <translation>Avise quem opera o servidor. O ChatDesk tenta de novo sozinho.</translation>
    </message>
    <message>
        <source>The team&apos;s server did not take the password: it is wrong, or it has expired.</source>
        <translation>O servidor da equipe não aceitou a senha: está errada ou expirou.</translation>
    </message>
    <message>
        <source>Enter the password again, or ask the workspace&apos;s owner for a new invitation.</source>
        <translation>Digite a senha de novo ou peça um novo convite ao proprietário do espaço de trabalho.</translation>
    </message>
    <message>
        <source>Your login to the team&apos;s database was closed: you are no longer a member of this workspace.</source>
        <translation>Seu login no banco de dados da equipe foi fechado: você não é mais membro deste espaço de trabalho.</translation>
    </message>
    <message>
        <source>If this is a mistake, ask the workspace&apos;s owner for a new invitation.</source>
        <translation>Se for um engano, peça um novo convite ao proprietário do espaço de trabalho.</translation>
    </message>
    <message>
        <source>This login is not a member of the workspace.</source>
        <translation>Este login não é membro do espaço de trabalho.</translation>
    </message>
    <message>
        <source>Ask the workspace&apos;s owner for an invitation.</source>
        <translation>Peça um convite ao proprietário do espaço de trabalho.</translation>
    </message>
    <message>
        <source>The invitation was not accepted in time, or not at all.</source>
        <translation>O convite não foi aceito a tempo, ou nem foi aceito.</translation>
    </message>
    <message>
        <source>Accept it, or ask the workspace&apos;s owner for a new one.</source>
        <translation>Aceite-o ou peça um novo ao proprietário do espaço de trabalho.</translation>
    </message>
    <message>
        <source>The invitation was used already, or withdrawn; each is good once.</source>
        <translation>O convite já foi usado ou foi retirado; cada um vale uma vez.</translation>
    </message>
    <message>
        <source>If you joined on another computer, add this one there. If it was not you who used it, tell the workspace&apos;s owner, who can remove that member; then ask for a new one.</source>
        <translation>Se você entrou em outro computador, adicione este lá. Se não foi você quem o usou, avise o proprietário do espaço de trabalho, que pode remover esse membro; depois peça um novo.</translation>
    </message>
    <message>
        <source>The server of the team&apos;s database does not speak TLS, so what you write would be sent unencrypted.</source>
        <translation>O servidor do banco de dados da equipe não usa TLS, então o que você escreve seria enviado sem criptografia.</translation>
    </message>
    <message>
        <source>Ask whoever runs the server to turn TLS on. Nothing was sent.</source>
        <translation>Peça a quem opera o servidor que ligue o TLS. Nada foi enviado.</translation>
    </message>
    <message>
        <source>The server of the team&apos;s database refuses connections of this kind from this computer.</source>
        <translation>O servidor do banco de dados da equipe recusa conexões deste tipo vindas deste computador.</translation>
    </message>
    <message>
        <source>Turn TLS on for this address, or ask whoever runs the server to let this computer in.</source>
        <translation>Ligue o TLS para este endereço, ou peça a quem opera o servidor que deixe este computador entrar.</translation>
    </message>
    <message>
        <source>This computer does not trust the certificate of the team&apos;s server for that server&apos;s name.</source>
        <translation>Este computador não confia no certificado do servidor da equipe para o nome desse servidor.</translation>
    </message>
    <message>
        <source>Somebody may be intercepting the connection. Ask whoever runs the server for its certificate. Nothing was sent.</source>
        <translation>Alguém pode estar interceptando a conexão. Peça o certificado a quem opera o servidor. Nada foi enviado.</translation>
    </message>
    <message>
        <source>The server asked for the password itself instead of a proof that you know it, so ChatDesk did not send it.</source>
        <translation>O servidor pediu a própria senha em vez de uma prova de que você a conhece, então o ChatDesk não a enviou.</translation>
    </message>
    <message>
        <source>It may not be the team&apos;s server. Ask whoever runs it; its passwords have to be scram-sha-256.</source>
        <translation>Pode não ser o servidor da equipe. Pergunte a quem o opera; suas senhas precisam ser scram-sha-256.</translation>
    </message>
    <message>
        <source>There is no such database on the team&apos;s server.</source>
        <translation>Não há tal banco de dados no servidor da equipe.</translation>
    </message>
    <message>
        <source>Check the name of the database.</source>
        <translation>Verifique o nome do banco de dados.</translation>
    </message>
    <message>
        <source>There is no workspace of ChatDesk in this database.</source>
        <translation>Não há espaço de trabalho do ChatDesk neste banco de dados.</translation>
    </message>
    <message>
        <source>Check the address, or create a workspace there.</source>
        <translation>Verifique o endereço ou crie um espaço de trabalho lá.</translation>
    </message>
    <message>
        <source>The database is not empty, and a workspace needs one for itself.</source>
        <translation>O banco de dados não está vazio, e um espaço de trabalho precisa de um só para si.</translation>
    </message>
    <message>
        <source>Create an empty database and give its address. Nothing was changed.</source>
        <translation>Crie um banco de dados vazio e informe seu endereço. Nada foi alterado.</translation>
    </message>
    <message>
        <source>The server is older than PostgreSQL 15.</source>
        <translation>O servidor é mais antigo que o PostgreSQL 15.</translation>
    </message>
    <message>
        <source>A workspace needs PostgreSQL 15 or newer. Nothing was changed.</source>
        <translation>Um espaço de trabalho precisa do PostgreSQL 15 ou mais novo. Nada foi alterado.</translation>
    </message>
    <message>
        <source>The workspace was upgraded by a newer ChatDesk than this one.</source>
        <translation>O espaço de trabalho foi atualizado por um ChatDesk mais novo que este.</translation>
    </message>
    <message>
        <source>Update ChatDesk to continue; until then, what you change waits here.</source>
        <translation>Atualize o ChatDesk para continuar; até lá, o que você altera espera aqui.</translation>
    </message>
    <message>
        <source>The team&apos;s database is of an older ChatDesk than this one.</source>
        <translation>O banco de dados da equipe é de um ChatDesk mais antigo que este.</translation>
    </message>
    <message>
        <source>An owner upgrades it: &apos;chatdesk team upgrade&apos;, or upgrade.sql. Until then, what you change waits here.</source>
        <translation>Um proprietário o atualiza: “chatdesk team upgrade” ou upgrade.sql. Até lá, o que você mudar espera aqui.</translation>
    </message>
    <message>
        <source>This profile, or a copy of it, was put in the place of another one, so it no longer syncs.</source>
        <translation>Este perfil, ou uma cópia dele, foi posto no lugar de outro, por isso não sincroniza mais.</translation>
    </message>
    <message>
        <source>Press Connect again in Settings, Team sync, or run &apos;chatdesk team join&apos;. What waits here is sent then.</source>
        <translation>Pressione “Conectar de novo” em Configurações, Sincronização da equipe, ou execute &apos;chatdesk team join&apos;. O que espera aqui é enviado então.</translation>
    </message>
    <message>
        <source>Tell the people who run the server. Nothing was changed.</source>
        <translation>Avise quem administra o servidor. Nada foi alterado.</translation>
    </message>
    <message>
        <source>The workspace does not, or no longer, know this computer.</source>
        <translation>O espaço de trabalho não conhece (mais) este computador.</translation>
    </message>
    <message>
        <source>This login may not do what setting up a workspace takes: own the database and create roles in it.</source>
        <translation>Este login não pode fazer o que a configuração de um espaço de trabalho exige: ser dono do banco de dados e criar papéis nele.</translation>
    </message>
    <message>
        <source>ChatDesk asks again by itself. Tell the people who run the server.</source>
        <translation>O ChatDesk pergunta de novo sozinho. Avise quem administra o servidor.</translation>
    </message>
    <message>
        <source>Use a login that owns the database and has CREATEROLE. Nothing was changed.</source>
        <translation>Use um login que seja dono do banco de dados e tenha CREATEROLE. Nada foi alterado.</translation>
    </message>
    <message>
        <source>The project was deleted for everybody by its owner.</source>
        <translation>O projeto foi excluído para todos por seu proprietário.</translation>
    </message>
    <message>
        <source>Your copy stays here as a private project.</source>
        <translation>Sua cópia fica aqui como projeto privado.</translation>
    </message>
    <message>
        <source>You are no longer in this project.</source>
        <translation>Você não está mais neste projeto.</translation>
    </message>
    <message>
        <source>Your copy stays here as a private project. To come back, ask one of its owners.</source>
        <translation>Sua cópia fica aqui como projeto privado. Para voltar, peça a um de seus proprietários.</translation>
    </message>
    <message>
        <source>ChatDesk registers it again by itself.</source>
        <translation>O ChatDesk o registra de novo sozinho.</translation>
    </message>
    <message>
        <source>Your role does not permit this.</source>
        <translation>Seu papel não permite isto.</translation>
    </message>
    <message>
        <source>Ask an owner of the project or of the workspace. Nothing was changed.</source>
        <translation>Peça a um proprietário do projeto ou do espaço de trabalho. Nada foi alterado.</translation>
    </message>
    <message>
        <source>There must always be an owner.</source>
        <translation>Sempre precisa haver um proprietário.</translation>
    </message>
    <message>
        <source>Make somebody else owner first. Nothing was changed.</source>
        <translation>Torne outra pessoa proprietária antes. Nada foi alterado.</translation>
    </message>
    <message>
        <source>The team&apos;s database did not take a value.</source>
        <translation>O banco de dados da equipe não aceitou um valor.</translation>
    </message>
    <message>
        <source>Check what you typed. Nothing was changed.</source>
        <translation>Verifique o que você digitou. Nada foi alterado.</translation>
    </message>
    <message>
        <source>By now the server misses other changes of this project than those, or none.</source>
        <translation>Agora faltam ao servidor outras alterações deste projeto, ou nenhuma.</translation>
    </message>
    <message>
        <source>Check against the server again. Nothing was changed.</source>
        <translation>Verifique novamente com o servidor. Nada foi alterado.</translation>
    </message>
    <message>
        <source>Changes of this project were not only lost on the server, but rewritten as well.</source>
        <translation>No servidor, alterações deste projeto não só se perderam como também foram reescritas.</translation>
    </message>
    <message>
        <source>This person has not accepted the invitation yet.</source>
        <translation>Esta pessoa ainda não aceitou o convite.</translation>
    </message>
    <message>
        <source>Try it again when they have joined. Nothing was changed.</source>
        <translation>Tente de novo quando ela tiver entrado. Nada foi alterado.</translation>
    </message>
    <message>
        <source>This person is not, or no longer, a member of the workspace.</source>
        <translation>Esta pessoa não é, ou não é mais, membro do espaço de trabalho.</translation>
    </message>
    <message>
        <source>Invite them first. Nothing was changed.</source>
        <translation>Convide-a primeiro. Nada foi alterado.</translation>
    </message>
    <message>
        <source>That exists already and is another member&apos;s.</source>
        <translation>Isso já existe e é de outro membro.</translation>
    </message>
    <message>
        <source>The file is no longer on the computer that sent the message.</source>
        <translation>O arquivo não está mais no computador que enviou a mensagem.</translation>
    </message>
    <message>
        <source>The team&apos;s database does not have the file (yet).</source>
        <translation>O banco de dados da equipe (ainda) não tem o arquivo.</translation>
    </message>
    <message>
        <source>The team&apos;s database has a different file under this name.</source>
        <translation>O banco de dados da equipe tem outro arquivo com este nome.</translation>
    </message>
    <message>
        <source>The file is larger than ChatDesk takes from a team.</source>
        <translation>O arquivo é maior do que o ChatDesk aceita de uma equipe.</translation>
    </message>
    <message>
        <source>A shared file could not be saved: {reason}.</source>
        <translation>Um arquivo compartilhado não pôde ser salvo: {reason}.</translation>
    </message>
    <message>
        <source>Make room on the disk; ChatDesk tries again by itself.</source>
        <translation>Libere espaço no disco; o ChatDesk tenta de novo sozinho.</translation>
    </message>
    <message>
        <source>That is not an invitation to a workspace.</source>
        <translation>Esse não é um convite para um espaço de trabalho.</translation>
    </message>
    <message>
        <source>Paste the whole code or link, or open the file that you were given.</source>
        <translation>Cole o código ou link inteiro, ou abra o arquivo que você recebeu.</translation>
    </message>
    <message>
        <source>The invitation is cut off: its end is missing.</source>
        <translation>O convite está cortado: falta o fim.</translation>
    </message>
    <message>
        <source>Copy all of it, or ask for it as a file.</source>
        <translation>Copie-o inteiro ou peça-o como arquivo.</translation>
    </message>
    <message>
        <source>The invitation was changed on its way: it is not what was sent.</source>
        <translation>O convite foi alterado no caminho: não está como foi escrito.</translation>
    </message>
    <message>
        <source>Copy it again from where you got it, or ask for it as a file.</source>
        <translation>Copie-o de novo de onde o recebeu ou peça-o como arquivo.</translation>
    </message>
    <message>
        <source>The invitation was made by a newer ChatDesk.</source>
        <translation>O convite foi criado por um ChatDesk mais novo.</translation>
    </message>
    <message>
        <source>Install the newest ChatDesk, then open it again.</source>
        <translation>Instale o ChatDesk mais novo e abra-o de novo.</translation>
    </message>
    <message>
        <source>The passphrase does not open this code.</source>
        <translation>A frase secreta não abre este código.</translation>
    </message>
    <message>
        <source>Type it as it is shown on the other computer, three groups of four characters.</source>
        <translation>Digite-a como é mostrada no outro computador, três grupos de quatro caracteres.</translation>
    </message>
    <message>
        <source>This profile is not in that workspace.</source>
        <translation>Este perfil não está nesse espaço de trabalho.</translation>
    </message>
    <message>
        <source>Join it in Settings, Team sync.</source>
        <translation>Entre nele em Configurações, Sincronização da equipe.</translation>
    </message>
    <message>
        <source>An invitation is good for 1 to {longest_days} days.</source>
        <translation>Um convite vale por 1 a {longest_days} dias.</translation>
    </message>
    <message>
        <source>Choose fewer days.</source>
        <translation>Escolha menos dias.</translation>
    </message>
    <message>
        <source>You cannot remove yourself.</source>
        <translation>Você não pode remover a si mesmo.</translation>
    </message>
    <message>
        <source>Leave the workspace instead.</source>
        <translation>Saia do espaço de trabalho em vez disso.</translation>
    </message>
    <message>
        <source>Share it first.</source>
        <translation>Compartilhe-o antes.</translation>
    </message>
    <message>
        <source>The code has expired.</source>
        <translation>O código expirou.</translation>
    </message>
    <message>
        <source>Make a new one on your other computer.</source>
        <translation>Crie um novo no seu outro computador.</translation>
    </message>
    <message>
        <source>If you began to set up a workspace here, setting it up again finishes that.</source>
        <translation>Se você começou a configurar um espaço de trabalho aqui, configurar de novo conclui isso.</translation>
    </message>
    <message>
        <source>The password of this workspace is not known here.</source>
        <translation>A senha deste espaço de trabalho não é conhecida aqui.</translation>
    </message>
    <message>
        <source>The password comes from an environment variable, so ChatDesk cannot change it.</source>
        <translation>A senha vem de uma variável de ambiente, então o ChatDesk não pode alterá-la.</translation>
    </message>
    <message>
        <source>Remove the variable, type the password once, and change it then.</source>
        <translation>Remova a variável, digite a senha uma vez e altere-a então.</translation>
    </message>
    <message>
        <source>The invitation has expired.</source>
        <translation>O convite expirou.</translation>
    </message>
    <message>
        <source>Ask whoever invited you for a new one.</source>
        <translation>Peça um novo a quem convidou você.</translation>
    </message>
    <message>
        <source>This code no longer opens the team&apos;s database: the password was changed, or you were removed.</source>
        <translation>Este código não abre mais o banco de dados da equipe: a senha foi alterada, ou você foi removido.</translation>
    </message>
    <message>
        <source>Make a new code on a computer that still syncs, or ask the workspace&apos;s owner.</source>
        <translation>Crie um novo código em um computador que ainda sincroniza, ou peça ao proprietário do espaço de trabalho.</translation>
    </message>
    <message>
        <source>This profile is in that workspace already.</source>
        <translation>Este perfil já está nesse espaço de trabalho.</translation>
    </message>
    <message>
        <source>Settings, Team sync shows its state.</source>
        <translation>Configurações, Sincronização da equipe mostra seu estado.</translation>
    </message>
    <message>
        <source>This server has no encryption: everybody on the way can read and change what is sent, passwords too.</source>
        <translation>Este servidor não tem criptografia: todos no caminho podem ler e alterar o que é enviado, inclusive senhas.</translation>
    </message>
    <message>
        <source>Ask for a server with TLS; agree only on this computer or in a network of your own.</source>
        <translation>Peça um servidor com TLS; consinta só neste computador ou em uma rede sua.</translation>
    </message>
    <message>
        <source>This server is not in a network of your own, so ChatDesk speaks to it with encryption only.</source>
        <translation>Este servidor não está em uma rede sua, então o ChatDesk só fala com ele com criptografia.</translation>
    </message>
    <message>
        <source>Switch TLS on at the server; docs/team-administration.md says how.</source>
        <translation>Ligue o TLS no servidor; docs/team-administration.md diz como.</translation>
    </message>
    <message>
        <source>A name has 1 to 80 characters on one line.</source>
        <translation>Um nome tem de 1 a 80 caracteres em uma linha.</translation>
    </message>
    <message>
        <source>Type another one.</source>
        <translation>Digite outro.</translation>
    </message>
    <message>
        <source>This code is for a further computer of yours and sealed with a passphrase.</source>
        <translation>Este código é para outro computador seu e está lacrado com uma frase secreta.</translation>
    </message>
    <message>
        <source>Type the passphrase that is shown beside the code.</source>
        <translation>Digite a frase secreta mostrada ao lado do código.</translation>
    </message>
    <message>
        <source>A password for a team&apos;s database has {shortest} to {longest} letters, digits and signs of an English keyboard, without spaces.</source>
        <translation>Uma senha do banco de dados de uma equipe tem de {shortest} a {longest} letras, dígitos e símbolos de um teclado inglês, sem espaços.</translation>
    </message>
    <message>
        <source>Choose another one.</source>
        <translation>Escolha outra.</translation>
    </message>
    <message>
        <source>This computer cannot keep the password for the team&apos;s database.</source>
        <translation>Este computador não consegue guardar a senha do banco de dados da equipe.</translation>
    </message>
    <message>
        <source>Nothing was changed on the server, and the invitation is still good.</source>
        <translation>Nada foi alterado no servidor, e o convite ainda vale.</translation>
    </message>
    <message>
        <source>Unlock or install a keyring, or choose the encrypted file in Settings, Providers; or put a password of your own into the variable {variable} each time before ChatDesk starts.</source>
        <translation>Desbloqueie ou instale um chaveiro, ou escolha o arquivo criptografado em Configurações, Provedores; ou ponha uma senha sua na variável {variable} toda vez antes de o ChatDesk iniciar.</translation>
    </message>
    <message>
        <source>The password was given for {kept}, and the workspace is now at {server}: it was not sent there. If the server really moved, say so in Settings, Team sync, Address, or enter the password again.</source>
        <translation>A senha foi dada para {kept}, e o espaço de trabalho agora está em {server}: ela não foi enviada para lá. Se o servidor realmente mudou, informe isso em Configurações, Sincronização da equipe, Endereço, ou digite a senha de novo.</translation>
    </message>
    <message>
        <source>The password was kept by an earlier ChatDesk, and the workspace is now at {server}: it was not sent there. If the server really moved, say so in Settings, Team sync, Address, or enter the password again.</source>
        <translation>A senha foi guardada por um ChatDesk anterior, e o espaço de trabalho agora está em {server}: ela não foi enviada para lá. Se o servidor realmente mudou, informe isso em Configurações, Sincronização da equipe, Endereço, ou digite a senha de novo.</translation>
    </message>
    <message>
        <source>The variable {variable} has a password, and nobody said on this computer that it is for {server}: it was not sent there. If it is, set {server_variable} to {named}, or enter the password.</source>
        <translation>A variável {variable} tem uma senha, e ninguém disse neste computador que ela é para {server}: ela não foi enviada para lá. Se for, defina {server_variable} como {named} ou digite a senha.</translation>
    </message>
    <message>
        <source>This project is shared with another workspace already.</source>
        <translation>Este projeto já é compartilhado com outro espaço de trabalho.</translation>
    </message>
    <message>
        <source>Stop sharing it there first.</source>
        <translation>Pare de compartilhá-lo lá antes.</translation>
    </message>
    <message>
        <source>Ask one of its owners.</source>
        <translation>Peça a um de seus proprietários.</translation>
    </message>
    <message>
        <source>Update ChatDesk.</source>
        <translation>Atualize o ChatDesk.</translation>
    </message>
    <message>
        <source>What others write comes up to half a minute late: the server&apos;s notifications do not arrive on this connection.</source>
        <translation>O que outros escrevem chega com até meio minuto de atraso: as notificações do servidor não chegam por esta conexão.</translation>
    </message>
    <message>
        <source>Use the server&apos;s direct address, or a pooler in session mode: Settings, Team sync, Address.</source>
        <translation>Use o endereço direto do servidor, ou um pooler em modo de sessão: Configurações, Sincronização da equipe, Endereço.</translation>
    </message>
    <message>
        <source>The team&apos;s database needs a newer ChatDesk to write to it; what you write waits on this computer.</source>
        <translation>O banco de dados da equipe precisa de um ChatDesk mais novo para gravar nele; o que você escreve espera neste computador.</translation>
    </message>
    <message>
        <source>The team&apos;s database needs a newer ChatDesk.</source>
        <translation>O banco de dados da equipe precisa de um ChatDesk mais novo.</translation>
    </message>
    <message>
        <source>This computer&apos;s clock is {span} ahead of the team&apos;s. Nothing is lost by that.</source>
        <translation>O relógio deste computador está {span} adiantado em relação ao da equipe. Nada se perde com isso.</translation>
    </message>
    <message>
        <source>This computer&apos;s clock is {span} behind the team&apos;s. Nothing is lost by that.</source>
        <translation>O relógio deste computador está {span} atrasado em relação ao da equipe. Nada se perde com isso.</translation>
    </message>
    <message>
        <source>a moment</source>
        <translation>um momento</translation>
    </message>
    <message>
        <source>The team&apos;s server did not take everything in time.</source>
        <translation>O servidor da equipe não aceitou tudo a tempo.</translation>
    </message>
    <message>
        <source>Check the user and the password.</source>
        <translation>Verifique o usuário e a senha.</translation>
    </message>
    <message>
        <source>Check the host, and your network.</source>
        <translation>Verifique o host e sua rede.</translation>
    </message>
    <message>
        <source>Choose the certificate that whoever runs the server gives you. Nothing was sent.</source>
        <translation>Escolha o certificado que quem opera o servidor lhe dá. Nada foi enviado.</translation>
    </message>
    <message>
        <source>Check again later. If it stays so, the server&apos;s max_connections is too small.</source>
        <translation>Verifique de novo mais tarde. Se continuar assim, max_connections do servidor é pequeno demais.</translation>
    </message>
    <message>
        <source>Ask whoever runs the server for room, then check again.</source>
        <translation>Peça espaço a quem opera o servidor e verifique de novo.</translation>
    </message>
    <message>
        <source>Check host, port and network, and that the server runs; then check again.</source>
        <translation>Verifique host, porta e rede, e se o servidor está em execução; depois verifique de novo.</translation>
    </message>
    <message>
        <source>The server answers and takes the login.</source>
        <translation>O servidor responde e aceita o login.</translation>
    </message>
    <message>
        <source>create roles (CREATEROLE)</source>
        <translation>criar papéis (CREATEROLE)</translation>
    </message>
    <message>
        <source>change the database, which belongs to another login</source>
        <translation>alterar o banco de dados, que pertence a outro login</translation>
    </message>
    <message>
        <source>Version</source>
        <translation>Versão</translation>
    </message>
    <message>
        <source>PostgreSQL {version} is too old. Use a server with 15 or newer.</source>
        <translation>O PostgreSQL {version} é antigo demais. Use um servidor com 15 ou mais novo.</translation>
    </message>
    <message>
        <source>PostgreSQL {version}.</source>
        <translation>PostgreSQL {version}.</translation>
    </message>
    <message>
        <source>The connection is encrypted (TLS).</source>
        <translation>A conexão é criptografada (TLS).</translation>
    </message>
    <message>
        <source>Not encrypted: anybody on the way can read everything.</source>
        <translation>Sem criptografia: quem estiver no meio pode ler tudo.</translation>
    </message>
    <message>
        <source>Empty database</source>
        <translation>Banco de dados vazio</translation>
    </message>
    <message>
        <source>There is a workspace in this database already. Make a new database, or ask its owner for an invitation.</source>
        <translation>Já há um espaço de trabalho neste banco de dados. Crie um novo banco de dados ou peça um convite ao proprietário.</translation>
    </message>
    <message numerus="yes">
        <source>It is not empty: there are {count} tables and views in it. A workspace needs a database for itself; make a new one.</source>
        <comment>It is not empty: there is {count} table or view in it. A workspace needs a database for itself; make a new one.</comment>
        <translation>
            <numerusform>Ele não está vazio: há {count} tabela ou visão nele. Um espaço de trabalho precisa de um banco de dados só para si; crie um novo.</numerusform>
            <numerusform>Ele não está vazio: há {count} tabelas e visões nele. Um espaço de trabalho precisa de um banco de dados só para si; crie um novo.</numerusform>
        </translation>
    </message>
    <message>
        <source>The database is empty.</source>
        <translation>O banco de dados está vazio.</translation>
    </message>
    <message>
        <source>Rights</source>
        <translation>Permissões</translation>
    </message>
    <message>
        <source>The login may not {lacks}. Use the one that owns the database, with CREATEROLE.</source>
        <translation>O login não pode {lacks}. Use o que é dono do banco de dados, com CREATEROLE.</translation>
    </message>
    <message>
        <source>{one} or {other}</source>
        <translation>{one} ou {other}</translation>
    </message>
    <message>
        <source>The login owns the database and may create roles.</source>
        <translation>O login é dono do banco de dados e pode criar papéis.</translation>
    </message>
    <message>
        <source>Changes</source>
        <translation>Alterações</translation>
    </message>
    <message>
        <source>The server takes no changes: it is a standby, or read-only. Use its primary.</source>
        <translation>O servidor não aceita alterações: é um standby ou somente leitura. Use o primário.</translation>
    </message>
    <message>
        <source>The database keeps text as {encoding}. Make one with UTF8.</source>
        <translation>O banco de dados guarda texto como {encoding}. Crie um com UTF8.</translation>
    </message>
    <message>
        <source>The database takes changes, and text in every language.</source>
        <translation>O banco de dados aceita alterações e texto em qualquer idioma.</translation>
    </message>
    <message>
        <source>Direct connection</source>
        <translation>Conexão direta</translation>
    </message>
    <message>
        <source>Notifications do not arrive: this seems to be a pooler. Use the server&apos;s direct port, or session pooling.</source>
        <translation>As notificações não chegam: isto parece ser um pooler. Use a porta direta do servidor ou session pooling.</translation>
    </message>
    <message>
        <source>Notifications arrive.</source>
        <translation>As notificações chegam.</translation>
    </message>
    <message>
        <source>Connections</source>
        <translation>Conexões</translation>
    </message>
    <message>
        <source>The server takes {most} connections; a computer needs up to three while ChatDesk runs.</source>
        <translation>O servidor aceita {most} conexões; um computador precisa de até três enquanto o ChatDesk está aberto.</translation>
    </message>
    <message>
        <source>The server takes {most} connections, up to three for each computer.</source>
        <translation>O servidor aceita {most} conexões, até três por computador.</translation>
    </message>
    <message>
        <source>[y/N]</source>
        <translation>[s/N]</translation>
    </message>
    <message>
        <source>y yes</source>
        <translation>s sim</translation>
    </message>
    <message>
        <source>Nobody can be asked here.</source>
        <translation>Não há a quem perguntar aqui.</translation>
    </message>
    <message>
        <source>Add --yes.</source>
        <translation>Acrescente --yes.</translation>
    </message>
    <message>
        <source>The output could not be written: {strerror}.</source>
        <translation>A saída não pôde ser gravada: {strerror}.</translation>
    </message>
    <message>
        <source>{megabytes} MB</source>
        <translation>{megabytes} MB</translation>
    </message>
    <message numerus="yes">
        <source>{count} bytes</source>
        <comment>{count} byte</comment>
        <translation>
            <numerusform>{count} byte</numerusform>
            <numerusform>{count} bytes</numerusform>
        </translation>
    </message>
    <message>
        <source>{about} of {server} failed: {reason}</source>
        <translation>{about} de {server} falhou: {reason}</translation>
    </message>
    <message>
        <source>“{tool}” of {server} was changed by its server after it was offered, so it was not run.</source>
        <translation>“{tool}” de {server} foi alterada pelo servidor depois de oferecida, então não foi executada.</translation>
    </message>
    <message>
        <source>Ask again: you are shown it as it is now.</source>
        <translation>Pergunte de novo: ela é mostrada como é agora.</translation>
    </message>
    <message>
        <source>Signing in to {server} failed: {reason}</source>
        <translation>Não foi possível entrar em {server}: {reason}</translation>
    </message>
    <message>
        <source>It was ended.</source>
        <translation>Ele foi encerrado.</translation>
    </message>
    <message>
        <source>{server} cannot be used: {reason}</source>
        <translation>{server} não pode ser usado: {reason}</translation>
    </message>
    <message>
        <source>The process for tools could not be started.</source>
        <translation>O processo das ferramentas não pôde ser iniciado.</translation>
    </message>
    <message>
        <source>The process for tools ended.</source>
        <translation>O processo das ferramentas terminou.</translation>
    </message>
    <message>
        <source>The list of prompts</source>
        <translation>A lista de prompts</translation>
    </message>
    <message>
        <source>The list of resources</source>
        <translation>A lista de recursos</translation>
    </message>
    <message>
        <source>{about} of {name} is empty.</source>
        <translation>{about} de {name} está vazio.</translation>
    </message>
    <message>
        <source>No tool server was found in this text.</source>
        <translation>Nenhum servidor de ferramentas foi encontrado neste texto.</translation>
    </message>
    <message>
        <source>Paste the whole block, from { to }.</source>
        <translation>Cole o bloco inteiro, de { a }.</translation>
    </message>
    <message>
        <source>It is described with the older transport (SSE), which ChatDesk does not speak. Ask for its address for streamable HTTP, which often ends with /mcp.</source>
        <translation>Ele é descrito com o transporte antigo (SSE), que o ChatDesk não fala. Peça o endereço dele para streamable HTTP, que costuma terminar em /mcp.</translation>
    </message>
    <message>
        <source>This text is too long for a description of tool servers.</source>
        <translation>Este texto é longo demais para uma descrição de servidores de ferramentas.</translation>
    </message>
    <message>
        <source>This text is not valid JSON.</source>
        <translation>Este texto não é JSON válido.</translation>
    </message>
    <message>
        <source>The permissions of tools could not be saved.</source>
        <translation>As permissões das ferramentas não puderam ser salvas.</translation>
    </message>
    <message>
        <source>permissions of tools</source>
        <translation>permissões de ferramentas</translation>
    </message>
    <message>
        <source>Install Node.js: https://nodejs.org (on Debian and Ubuntu: sudo apt install npm).</source>
        <translation>Instale o Node.js: https://nodejs.org (no Debian e no Ubuntu: sudo apt install npm).</translation>
    </message>
    <message>
        <source>Install Node.js: https://nodejs.org (on Debian and Ubuntu: sudo apt install nodejs).</source>
        <translation>Instale o Node.js: https://nodejs.org (no Debian e no Ubuntu: sudo apt install nodejs).</translation>
    </message>
    <message>
        <source>Install Bun: https://bun.sh.</source>
        <translation>Instale o Bun: https://bun.sh.</translation>
    </message>
    <message>
        <source>Install Deno: https://deno.com.</source>
        <translation>Instale o Deno: https://deno.com.</translation>
    </message>
    <message>
        <source>Install uv: pipx install uv (or see https://docs.astral.sh/uv).</source>
        <translation>Instale o uv: pipx install uv (ou veja https://docs.astral.sh/uv).</translation>
    </message>
    <message>
        <source>Install pipx (on Debian and Ubuntu: sudo apt install pipx).</source>
        <translation>Instale o pipx (no Debian e no Ubuntu: sudo apt install pipx).</translation>
    </message>
    <message>
        <source>Install Docker: https://docs.docker.com/get-docker.</source>
        <translation>Instale o Docker: https://docs.docker.com/get-docker.</translation>
    </message>
    <message>
        <source>Install it, or give its whole path.</source>
        <translation>Instale-o ou informe seu caminho inteiro.</translation>
    </message>
    <message>
        <source>The program “{name}” was not found.</source>
        <translation>O programa “{name}” não foi encontrado.</translation>
    </message>
    <message>
        <source>There is no such folder.</source>
        <translation>Não há tal pasta.</translation>
    </message>
    <message>
        <source>Choose a folder that exists on this computer.</source>
        <translation>Escolha uma pasta que exista neste computador.</translation>
    </message>
    <message>
        <source>There is no folder {path}.</source>
        <translation>Não há pasta {path}.</translation>
    </message>
    <message>
        <source>ChatDesk keeps its own files in {each}, which models must not read.</source>
        <translation>O ChatDesk guarda seus próprios arquivos em {each}, que os modelos não podem ler.</translation>
    </message>
    <message>
        <source>Choose the folder of the project itself.</source>
        <translation>Escolha a pasta do próprio projeto.</translation>
    </message>
    <message>
        <source>“{label}” is missing.</source>
        <translation>Falta “{label}”.</translation>
    </message>
    <message>
        <source>“{label}” is not a whole number.</source>
        <translation>“{label}” não é um número inteiro.</translation>
    </message>
    <message>
        <source>“{label}” is not a number.</source>
        <translation>“{label}” não é um número.</translation>
    </message>
    <message>
        <source>“{label}” is at least {least}{unit}.</source>
        <translation>“{label}” é pelo menos {least}{unit}.</translation>
    </message>
    <message>
        <source>“{label}” is at most {most}{unit}.</source>
        <translation>“{label}” é no máximo {most}{unit}.</translation>
    </message>
    <message>
        <source>an email address</source>
        <translation>um endereço de e-mail</translation>
    </message>
    <message>
        <source>an address such as https://example.org</source>
        <translation>um endereço como https://example.org</translation>
    </message>
    <message>
        <source>a date such as 2026-11-24</source>
        <translation>uma data como 2026-11-24</translation>
    </message>
    <message>
        <source>a date and time such as 2026-11-24T09:30:00Z</source>
        <translation>uma data e hora como 2026-11-24T09:30:00Z</translation>
    </message>
    <message>
        <source>“{label}” is not {words}.</source>
        <translation>“{label}” não é {words}.</translation>
    </message>
    <message>
        <source>This tool server cannot be used as it is.</source>
        <translation>Este servidor de ferramentas não pode ser usado como está.</translation>
    </message>
    <message>
        <source>Correct this and save again.</source>
        <translation>Corrija isto e salve de novo.</translation>
    </message>
    <message>
        <source>The tool server has no name.</source>
        <translation>O servidor de ferramentas não tem nome.</translation>
    </message>
    <message>
        <source>The tool server has no command.</source>
        <translation>O servidor de ferramentas não tem comando.</translation>
    </message>
    <message>
        <source>The command has a character that no command can have.</source>
        <translation>O comando tem um caractere que nenhum comando pode ter.</translation>
    </message>
    <message>
        <source>The address of a tool server begins with https:// or http://.</source>
        <translation>O endereço de um servidor de ferramentas começa com https:// ou http://.</translation>
    </message>
    <message>
        <source>Secrets are sent over https only: anybody on the way could read them.</source>
        <translation>Segredos só são enviados por https: qualquer um no caminho poderia lê-los.</translation>
    </message>
    <message>
        <source>The tool servers could not be saved.</source>
        <translation>Os servidores de ferramentas não puderam ser salvos.</translation>
    </message>
    <message>
        <source>tool servers</source>
        <translation>servidores de ferramentas</translation>
    </message>
    <message numerus="yes">
        <source>{count} tool servers were left out: the entry in {file} cannot be used.</source>
        <comment>{count} tool server was left out: the entry in {file} cannot be used.</comment>
        <translation>
            <numerusform>{count} servidor de ferramentas foi deixado de fora: a entrada em {file} não pode ser usada.</numerusform>
            <numerusform>{count} servidores de ferramentas foram deixados de fora: a entrada em {file} não pode ser usada.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tool servers in this data directory may be from somebody else and stay off until you switch them on.</source>
        <comment>{count} tool server in this data directory may be from somebody else and stays off until you switch it on.</comment>
        <translation>
            <numerusform>{count} servidor de ferramentas deste diretório de dados talvez seja de outra pessoa e fica desligado até você ligá-lo.</numerusform>
            <numerusform>{count} servidores de ferramentas deste diretório de dados talvez sejam de outra pessoa e ficam desligados até você ligá-los.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} other choices for tools in this data directory (a folder, a server of ChatDesk&apos;s own, the search engine) may be from somebody else and do not hold until you choose again.</source>
        <comment>{count} other choice for tools in this data directory (a folder, a server of ChatDesk&apos;s own, the search engine) may be from somebody else and does not hold until you choose again.</comment>
        <translation>
            <numerusform>{count} outra escolha de ferramentas neste diretório de dados (uma pasta, um servidor do próprio ChatDesk, o mecanismo de busca) pode ser de outra pessoa e não vale até você escolher de novo.</numerusform>
            <numerusform>{count} outras escolhas de ferramentas neste diretório de dados (uma pasta, um servidor do próprio ChatDesk, o mecanismo de busca) podem ser de outra pessoa e não valem até você escolher de novo.</numerusform>
        </translation>
    </message>
    <message>
        <source>The file of tool servers was written by a newer ChatDesk.</source>
        <translation>O arquivo de servidores de ferramentas foi gravado por um ChatDesk mais novo.</translation>
    </message>
    <message>
        <source>What you set up for tools cannot be marked as yours, so the next start would not trust it.</source>
        <translation>O que você configurou para as ferramentas não pode ser marcado como seu, por isso a próxima inicialização não confiaria nisso.</translation>
    </message>
    <message>
        <source>Unlock the keyring, or check your configuration directory, and try again.</source>
        <translation>Desbloqueie o chaveiro ou verifique seu diretório de configuração e tente novamente.</translation>
    </message>
    <message>
        <source>The file of tool servers {path} could not be written.</source>
        <translation>O arquivo de servidores de ferramentas {path} não pôde ser gravado.</translation>
    </message>
    <message>
        <source>There are {most_servers} tool servers already.</source>
        <translation>Já há {most_servers} servidores de ferramentas.</translation>
    </message>
    <message>
        <source>{name} comes with ChatDesk.</source>
        <translation>{name} vem com o ChatDesk.</translation>
    </message>
    <message>
        <source>Switch it off instead.</source>
        <translation>Desligue-o em vez disso.</translation>
    </message>
    <message>
        <source>The tool took too long.</source>
        <translation>A ferramenta demorou demais.</translation>
    </message>
    <message>
        <source>The folder {folder} does not exist.</source>
        <translation>A pasta {folder} não existe.</translation>
    </message>
    <message>
        <source>The value of {name} is missing.</source>
        <translation>Falta o valor de {name}.</translation>
    </message>
    <message>
        <source>Enter it in Settings, Tools.</source>
        <translation>Digite-o em Configurações, Ferramentas.</translation>
    </message>
    <message>
        <source>This server cannot be signed in to.</source>
        <translation>Não é possível entrar neste servidor.</translation>
    </message>
    <message>
        <source>Sign in to servers over https.</source>
        <translation>Entre em servidores por https.</translation>
    </message>
    <message>
        <source>Try again later.</source>
        <translation>Tente novamente mais tarde.</translation>
    </message>
    <message>
        <source>Check the address in Settings, Tools, or try again later.</source>
        <translation>Verifique o endereço em Configurações, Ferramentas, ou tente novamente mais tarde.</translation>
    </message>
    <message>
        <source>The key of {label} is missing.</source>
        <translation>Falta a chave de {label}.</translation>
    </message>
    <message>
        <source>{server} answered, but not as {label} does.</source>
        <translation>{server} respondeu, mas não como {label} responde.</translation>
    </message>
    <message>
        <source>SearXNG does not answer programs.</source>
        <translation>O SearXNG não responde a programas.</translation>
    </message>
    <message>
        <source>Add json to search.formats in its settings.yml, or choose another.</source>
        <translation>Acrescente json a search.formats no settings.yml dele, ou escolha outro.</translation>
    </message>
    <message>
        <source>{label} does not take this key.</source>
        <translation>{label} não aceita esta chave.</translation>
    </message>
    <message>
        <source>{label} takes no more searches for now.</source>
        <translation>{label} não aceita mais buscas por enquanto.</translation>
    </message>
    <message>
        <source>Wait, or look at your plan there.</source>
        <translation>Espere ou verifique seu plano lá.</translation>
    </message>
    <message>
        <source>{label} answered with {status}.</source>
        <translation>{label} respondeu com {status}.</translation>
    </message>
    <message>
        <source>The web could not be searched.</source>
        <translation>Não foi possível buscar na web.</translation>
    </message>
    <message>
        <source>Not encrypted: others on the network could read what is searched for.</source>
        <translation>Sem criptografia: outros na rede poderiam ler o que é buscado.</translation>
    </message>
    <message>
        <source>The web cannot be searched like this.</source>
        <translation>Não é possível buscar na web assim.</translation>
    </message>
    <message>
        <source>{label} wants a key.</source>
        <translation>{label} exige uma chave.</translation>
    </message>
    <message>
        <source>Choose one in Settings, Tools.</source>
        <translation>Escolha um em Configurações, Ferramentas.</translation>
    </message>
    <message>
        <source>There is nothing to search for.</source>
        <translation>Não há nada a buscar.</translation>
    </message>
    <message>
        <source>It found no page about {tried_with}.</source>
        <translation>Nenhuma página foi encontrada sobre {tried_with}.</translation>
    </message>
    <message>
        <source>The address of SearXNG is one like https://searx.example.org.</source>
        <translation>O endereço do SearXNG é como https://searx.example.org.</translation>
    </message>
    <message>
        <source>The export ended unexpectedly.</source>
        <translation>A exportação terminou inesperadamente.</translation>
    </message>
    <message>
        <source>Try again, or another format.</source>
        <translation>Tente novamente ou use outro formato.</translation>
    </message>
    <message>
        <source>The pages were not finished in time.</source>
        <translation>As páginas não ficaram prontas a tempo.</translation>
    </message>
    <message>
        <source>Export as HTML and print that.</source>
        <translation>Exporte como HTML e imprima isso.</translation>
    </message>
    <message>
        <source>The PDF could not be made: {reason}.</source>
        <translation>O PDF não pôde ser criado: {reason}.</translation>
    </message>
    <message>
        <source>This file contains more chats than can be read at once.</source>
        <translation>Este arquivo contém mais chats do que se pode ler de uma vez.</translation>
    </message>
    <message>
        <source>The CSV file is cut off or damaged.</source>
        <translation>O arquivo CSV está cortado ou danificado.</translation>
    </message>
    <message>
        <source>Export the chats again, then import that file.</source>
        <translation>Exporte os chats de novo e importe esse arquivo.</translation>
    </message>
    <message>
        <source>There is not enough room on the disk to open the zip files in this one.</source>
        <translation>Não há espaço suficiente no disco para abrir os arquivos zip contidos neste.</translation>
    </message>
    <message>
        <source>Make room, or unpack it and import the zip file of the conversations alone.</source>
        <translation>Libere espaço, ou descompacte-o e importe só o arquivo zip das conversas.</translation>
    </message>
    <message>
        <source>The zip file is damaged or not complete.</source>
        <translation>O arquivo zip está danificado ou incompleto.</translation>
    </message>
    <message>
        <source>Download the export again, then import it.</source>
        <translation>Baixe a exportação de novo e importe-a.</translation>
    </message>
    <message>
        <source>The zip file claims more files than an export has.</source>
        <translation>O arquivo zip declara mais arquivos do que uma exportação tem.</translation>
    </message>
    <message>
        <source>The zip file is protected by a password.</source>
        <translation>O arquivo zip está protegido por uma senha.</translation>
    </message>
    <message>
        <source>Unpack it, then import the JSON file in it.</source>
        <translation>Descompacte-o e importe o arquivo JSON dele.</translation>
    </message>
    <message>
        <source>The zip file is packed in a way that exports are not.</source>
        <translation>O arquivo zip está compactado de uma forma que exportações não estão.</translation>
    </message>
    <message>
        <source>The zip file unpacks to far more than an export holds, so it was not opened.</source>
        <translation>O arquivo zip descompacta para muito mais do que uma exportação contém, então não foi aberto.</translation>
    </message>
    <message>
        <source>This file was written by a newer ChatDesk (format version {version}).</source>
        <translation>Este arquivo foi gravado por um ChatDesk mais novo (versão de formato {version}).</translation>
    </message>
    <message>
        <source>Update ChatDesk, then import it.</source>
        <translation>Atualize o ChatDesk e importe-o.</translation>
    </message>
    <message>
        <source>This backup contains more text than can be read at once.</source>
        <translation>Este backup contém mais texto do que se pode ler de uma vez.</translation>
    </message>
    <message>
        <source>The answer failed.</source>
        <translation>A resposta falhou.</translation>
    </message>
    <message>
        <source>Entry {number}</source>
        <translation>Entrada {number}</translation>
    </message>
    <message>
        <source>It contains no messages.</source>
        <translation>Não contém mensagens.</translation>
    </message>
    <message>
        <source>Entry {number} of {name}</source>
        <translation>Entrada {number} de {name}</translation>
    </message>
    <message>
        <source>“{key}” of {name}</source>
        <translation>“{key}” de {name}</translation>
    </message>
    <message>
        <source>Nothing after it could be read.</source>
        <translation>Nada depois disso pôde ser lido.</translation>
    </message>
    <message>
        <source>The file is damaged or not complete.</source>
        <translation>O arquivo está danificado ou incompleto.</translation>
    </message>
    <message>
        <source>The rest of the file could not be read.</source>
        <translation>O resto do arquivo não pôde ser lido.</translation>
    </message>
    <message>
        <source>This file is one conversation that is larger than any export holds.</source>
        <translation>Este arquivo é uma conversa maior do que qualquer exportação contém.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads were here already.</source>
        <comment>{count} thread was here already.</comment>
        <translation>
            <numerusform>{count} conversa já estava aqui.</numerusform>
            <numerusform>{count} conversas já estavam aqui.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads were in the trash and left there.</source>
        <comment>{count} thread was in the trash and left there.</comment>
        <translation>
            <numerusform>{count} conversa estava na lixeira e foi deixada lá.</numerusform>
            <numerusform>{count} conversas estavam na lixeira e foram deixadas lá.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads were deleted for good before and left out.</source>
        <comment>{count} thread was deleted for good before and left out.</comment>
        <translation>
            <numerusform>{count} conversa foi excluída definitivamente antes e ficou de fora.</numerusform>
            <numerusform>{count} conversas foram excluídas definitivamente antes e ficaram de fora.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} entries were skipped.</source>
        <comment>{count} entry was skipped.</comment>
        <translation>
            <numerusform>{count} entrada foi ignorada.</numerusform>
            <numerusform>{count} entradas foram ignoradas.</numerusform>
        </translation>
    </message>
    <message>
        <source>There was nothing to import.</source>
        <translation>Não havia nada a importar.</translation>
    </message>
    <message>
        <source>The import was stopped. Import the same file again to continue.</source>
        <translation>A importação foi parada. Importe o mesmo arquivo de novo para continuar.</translation>
    </message>
    <message numerus="yes">
        <source>{count} new threads</source>
        <comment>{count} new thread</comment>
        <translation>
            <numerusform>{count} nova conversa</numerusform>
            <numerusform>{count} novas conversas</numerusform>
        </translation>
    </message>
    <message>
        <source>Would import {threads} with {messages}.</source>
        <translation>Seriam importadas {threads} com {messages}.</translation>
    </message>
    <message>
        <source>Imported {threads} with {messages}.</source>
        <translation>Importadas {threads} com {messages}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads with new messages</source>
        <comment>{count} thread with new messages</comment>
        <translation>
            <numerusform>{count} conversa com mensagens novas</numerusform>
            <numerusform>{count} conversas com mensagens novas</numerusform>
        </translation>
    </message>
    <message>
        <source>Would import {threads} and {grown}, {messages} in all.</source>
        <translation>Seriam importadas {threads} e {grown}, {messages} ao todo.</translation>
    </message>
    <message>
        <source>Imported {threads} and {grown}, {messages} in all.</source>
        <translation>Importadas {threads} e {grown}, {messages} ao todo.</translation>
    </message>
    <message numerus="yes">
        <source>{count} files that messages name are not in the export.</source>
        <comment>{count} file that messages name is not in the export.</comment>
        <translation>
            <numerusform>{count} arquivo citado por mensagens não está na exportação.</numerusform>
            <numerusform>{count} arquivos citados por mensagens não estão na exportação.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages that the vendor hides were left out.</source>
        <comment>{count} message that the vendor hides was left out.</comment>
        <translation>
            <numerusform>{count} mensagem que o fornecedor oculta ficou de fora.</numerusform>
            <numerusform>{count} mensagens que o fornecedor oculta ficaram de fora.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} marks of sources that the export does not name were left out.</source>
        <comment>{count} mark of a source that the export does not name was left out.</comment>
        <translation>
            <numerusform>{count} marca de fonte que a exportação não nomeia foi omitida.</numerusform>
            <numerusform>{count} marcas de fontes que a exportação não nomeia foram omitidas.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The export contains {count} memories.</source>
        <comment>The export contains {count} memory.</comment>
        <translation>
            <numerusform>A exportação contém {count} memória.</numerusform>
            <numerusform>A exportação contém {count} memórias.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} more are beyond the most that ChatDesk keeps.</source>
        <comment>{count} more is beyond the most that ChatDesk keeps.</comment>
        <translation>
            <numerusform>{count} a mais ultrapassa o máximo que o ChatDesk mantém.</numerusform>
            <numerusform>{count} a mais ultrapassam o máximo que o ChatDesk mantém.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} of them are remembered now.</source>
        <comment>{count} of them is remembered now.</comment>
        <translation>
            <numerusform>{count} delas agora está memorizada.</numerusform>
            <numerusform>{count} delas agora estão memorizadas.</numerusform>
        </translation>
    </message>
    <message>
        <source>None was taken: memories are kept only where you choose them.</source>
        <translation>Nenhuma foi aproveitada: memórias só são mantidas quando você as escolhe.</translation>
    </message>
    <message>
        <source>{outcome}: {title} ({reason})</source>
        <translation>{outcome}: {title} ({reason})</translation>
    </message>
    <message>
        <source>{outcome}: {title}</source>
        <translation>{outcome}: {title}</translation>
    </message>
    <message>
        <source>{outcome}: {title} ({messages}; {reason})</source>
        <translation>{outcome}: {title} ({messages}; {reason})</translation>
    </message>
    <message>
        <source>{outcome}: {title} ({messages})</source>
        <translation>{outcome}: {title} ({messages})</translation>
    </message>
    <message>
        <source>It is in the trash. Restore it and import again to have what is new.</source>
        <translation>Está na lixeira. Restaure-a e importe de novo para ter o que é novo.</translation>
    </message>
    <message>
        <source>It was deleted for good.</source>
        <translation>Foi excluída definitivamente.</translation>
    </message>
    <message>
        <source>An import is running already.</source>
        <translation>Uma importação já está em andamento.</translation>
    </message>
    <message>
        <source>Some characters could not be read and are shown as �.</source>
        <translation>Alguns caracteres não puderam ser lidos e aparecem como �.</translation>
    </message>
    <message>
        <source>The virus scanner found something in this file, so it was kept out.</source>
        <translation>O antivírus encontrou algo neste arquivo, então ele não foi aceito.</translation>
    </message>
    <message numerus="yes">
        <source>{count} prompts were imported, too.</source>
        <comment>{count} prompt was imported, too.</comment>
        <translation>
            <numerusform>{count} prompt também foi importado.</numerusform>
            <numerusform>{count} prompts também foram importados.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} drafts were imported, too.</source>
        <comment>{count} draft was imported, too.</comment>
        <translation>
            <numerusform>{count} rascunho também foi importado.</numerusform>
            <numerusform>{count} rascunhos também foram importados.</numerusform>
        </translation>
    </message>
    <message>
        <source>What was imported so far is complete. Import the same file again to continue.</source>
        <translation>O que foi importado até agora está completo. Importe o mesmo arquivo de novo para continuar.</translation>
    </message>
    <message>
        <source>{name} is not a file.</source>
        <translation>{name} não é um arquivo.</translation>
    </message>
    <message>
        <source>Choose the export itself.</source>
        <translation>Escolha a própria exportação.</translation>
    </message>
    <message>
        <source>This backup contains Cherry Studio&apos;s database as it is, which ChatDesk cannot read.</source>
        <translation>Este backup contém o banco de dados do Cherry Studio como ele é, que o ChatDesk não consegue ler.</translation>
    </message>
    <message>
        <source>In Cherry Studio open Settings, Data Settings, Export to Phone, and export to a file.</source>
        <translation>No Cherry Studio, abra Settings, Data Settings, Export to Phone e exporte para um arquivo.</translation>
    </message>
    <message>
        <source>This is a page to be read, not the data of an export.</source>
        <translation>Esta é uma página para leitura, não os dados de uma exportação.</translation>
    </message>
    <message>
        <source>Choose the zip file of the export as it came. If it contains only pages, ask for it again with JSON as its format: Google Takeout has a choice for that.</source>
        <translation>Escolha o arquivo zip da exportação como chegou. Se ele só contiver páginas, peça-o de novo no formato JSON: o Google Takeout permite escolher.</translation>
    </message>
    <message>
        <source>Choose an export of one of these programs: {programs}.</source>
        <translation>Escolha uma exportação de um destes programas: {programs}.</translation>
    </message>
    <message>
        <source>There is nothing in this folder that ChatDesk can import.</source>
        <translation>Não há nada nesta pasta que o ChatDesk possa importar.</translation>
    </message>
    <message>
        <source>There is nothing in this file that ChatDesk can import.</source>
        <translation>Não há nada neste arquivo que o ChatDesk possa importar.</translation>
    </message>
    <message>
        <source>This file is not an export that ChatDesk knows.</source>
        <translation>Este arquivo não é uma exportação que o ChatDesk conheça.</translation>
    </message>
    <message>
        <source>{name} is cut off: its end is missing.</source>
        <translation>{name} está cortado: falta o fim.</translation>
    </message>
    <message>
        <source>{name} could not be read: {reason}.</source>
        <translation>{name} não pôde ser lido: {reason}.</translation>
    </message>
    <message>
        <source>Check the file.</source>
        <translation>Verifique o arquivo.</translation>
    </message>
    <message>
        <source>This folder contains far more files than a program&apos;s chats would have.</source>
        <translation>Esta pasta contém muito mais arquivos que os chats de um programa.</translation>
    </message>
    <message>
        <source>Choose the folder of the chats.</source>
        <translation>Escolha a pasta dos chats.</translation>
    </message>
    <message>
        <source>The page of releases does not say which version is the newest.</source>
        <translation>A página de versões não diz qual é a mais recente.</translation>
    </message>
    <message>
        <source>Installed from a package: the updates of this computer bring new versions, such as “apt upgrade”.</source>
        <translation>Instalado de um pacote: as atualizações deste computador trazem novas versões, como “apt upgrade”.</translation>
    </message>
    <message>
        <source>Installed as a Flatpak: the updates of this computer bring new versions, or “flatpak update”.</source>
        <translation>Instalado como Flatpak: as atualizações deste computador trazem novas versões, ou “flatpak update”.</translation>
    </message>
    <message>
        <source>Installed as a snap: the system brings new versions by itself.</source>
        <translation>Instalado como snap: o sistema traz novas versões sozinho.</translation>
    </message>
    <message>
        <source>Installed with pipx: “pipx upgrade chatdesk” brings a new version.</source>
        <translation>Instalado com pipx: “pipx upgrade chatdesk” traz uma nova versão.</translation>
    </message>
    <message>
        <source>Installed with pip: “pip install --upgrade chatdesk” brings a new version.</source>
        <translation>Instalado com pip: “pip install --upgrade chatdesk” traz uma nova versão.</translation>
    </message>
    <message>
        <source>A checkout: “git pull” brings a new version.</source>
        <translation>Um checkout: “git pull” traz uma nova versão.</translation>
    </message>
    <message>
        <source>The portable program: start a newer .run file once to put a new version in its place.</source>
        <translation>O programa portátil: inicie uma vez um arquivo .run mais novo para pôr uma versão nova no lugar.</translation>
    </message>
    <message>
        <source>This copy does not update itself: unpack a newer one in its place.</source>
        <translation>Esta cópia não se atualiza sozinha: descompacte uma mais nova no lugar dela.</translation>
    </message>
    <message>
        <source>January</source>
        <translation>janeiro</translation>
    </message>
    <message>
        <source>February</source>
        <translation>fevereiro</translation>
    </message>
    <message>
        <source>March</source>
        <translation>março</translation>
    </message>
    <message>
        <source>April</source>
        <translation>abril</translation>
    </message>
    <message>
        <source>May</source>
        <translation>maio</translation>
    </message>
    <message>
        <source>June</source>
        <translation>junho</translation>
    </message>
    <message>
        <source>July</source>
        <translation>julho</translation>
    </message>
    <message>
        <source>August</source>
        <translation>agosto</translation>
    </message>
    <message>
        <source>September</source>
        <translation>setembro</translation>
    </message>
    <message>
        <source>October</source>
        <translation>outubro</translation>
    </message>
    <message>
        <source>November</source>
        <translation>novembro</translation>
    </message>
    <message>
        <source>December</source>
        <translation>dezembro</translation>
    </message>
    <message>
        <source>There may be {most_limits} limits, one of a kind for each period.</source>
        <translation>Pode haver {most_limits} limites, um de cada tipo para cada período.</translation>
    </message>
    <message>
        <source>The old limits hold on.</source>
        <translation>Os limites antigos continuam valendo.</translation>
    </message>
    <message>
        <source>Remove one of them.</source>
        <translation>Remova um deles.</translation>
    </message>
    <message>
        <source>The warning at {amount} {name} is passed: with this question it is about {spent}.</source>
        <translation>O aviso em {amount} {name} foi ultrapassado: com esta pergunta são cerca de {spent}.</translation>
    </message>
    <message>
        <source>Nothing is sent beyond {amount}.</source>
        <translation>Nada é enviado além de {amount}.</translation>
    </message>
    <message>
        <source>Titles and summaries wait.</source>
        <translation>Títulos e resumos esperam.</translation>
    </message>
    <message>
        <source>A limit must be a number from 0 on.</source>
        <translation>Um limite deve ser um número a partir de 0.</translation>
    </message>
    <message>
        <source>Correct the number.</source>
        <translation>Corrija o número.</translation>
    </message>
    <message>
        <source>The warning {name} is above its stop.</source>
        <translation>O aviso {name} está acima da parada.</translation>
    </message>
    <message>
        <source>The limit starts again {end}. Raise it, or send this question anyway.</source>
        <translation>O limite recomeça {end}. Aumente-o ou envie esta pergunta mesmo assim.</translation>
    </message>
    <message>
        <source>Give the warning a smaller number.</source>
        <translation>Dê ao aviso um número menor.</translation>
    </message>
    <message>
        <source>tomorrow</source>
        <translation>amanhã</translation>
    </message>
    <message>
        <source>on {day} {month}</source>
        <translation>em {day} de {month}</translation>
    </message>
    <message>
        <source>The limit of {amount} {name} is reached: {spent} are used.</source>
        <translation>O limite de {amount} {name} foi atingido: {spent} usados.</translation>
    </message>
    <message>
        <source>The limit of {amount} {name} is reached: {spent} are used and this question needs about {needed}.</source>
        <translation>O limite de {amount} {name} foi atingido: {spent} usados, e esta pergunta precisa de cerca de {needed}.</translation>
    </message>
    <message>
        <source>I am the **demo model** that comes with ChatDesk. I cannot work on this, but a model that you connect can.</source>
        <translation>Eu sou o **modelo de demonstração** do ChatDesk. Não consigo trabalhar nisso, mas um modelo que você conectar consegue.</translation>
    </message>
    <message>
        <source>This is where a real model would answer. I am the **demo model**: I need no network, and I know nothing.</source>
        <translation>Aqui um modelo de verdade responderia. Eu sou o **modelo de demonstração**: não preciso de rede e não sei nada.</translation>
    </message>
    <message>
        <source>A good question for a real model! I am the **demo model** and can only show what ChatDesk does.</source>
        <translation>Uma boa pergunta para um modelo de verdade! Eu sou o **modelo de demonstração** e só posso mostrar o que o ChatDesk faz.</translation>
    </message>
    <message>
        <source>I am the **demo model** and cannot work on this. Here is how ChatDesk shows such an answer:</source>
        <translation>Eu sou o **modelo de demonstração** e não consigo trabalhar nisso. É assim que o ChatDesk mostra uma resposta dessas:</translation>
    </message>
    <message>
        <source>A real model would answer here. This is what its answer could look like:</source>
        <translation>Aqui um modelo de verdade responderia. A resposta poderia ser assim:</translation>
    </message>
    <message>
        <source>I know nothing, but I can show you how such an answer looks in ChatDesk:</source>
        <translation>Não sei nada, mas posso mostrar como uma resposta dessas aparece no ChatDesk:</translation>
    </message>
    <message>
        <source>This was the **demo model**, which comes with ChatDesk. To get real answers choose *Add provider…* in the list of models at the top. `/demo` lists what else I can show.</source>
        <translation>Este foi o **modelo de demonstração** do ChatDesk. Para ter respostas de verdade, escolha *Adicionar provedor…* na lista de modelos no alto. `/demo` lista o que mais posso mostrar.</translation>
    </message>
    <message>
        <source>Hello!</source>
        <translation>Olá!</translation>
    </message>
    <message>
        <source>Try one of these with me:</source>
        <translation>Experimente uma destas comigo:</translation>
    </message>
    <message>
        <source>To get real answers choose *Add provider…* in the list of models at the top.</source>
        <translation>Para ter respostas de verdade, escolha *Adicionar provedor…* na lista de modelos no alto.</translation>
    </message>
    <message>
        <source>Ask for</source>
        <translation>Peça</translation>
    </message>
    <message>
        <source>and see</source>
        <translation>e veja</translation>
    </message>
    <message>
        <source>*a tour*</source>
        <translation>*um tour*</translation>
    </message>
    <message>
        <source>what ChatDesk can do</source>
        <translation>o que o ChatDesk sabe fazer</translation>
    </message>
    <message>
        <source>*code*, *a table*, *a formula*, *a plan*</source>
        <translation>*código*, *uma tabela*, *uma fórmula*, *um plano*</translation>
    </message>
    <message>
        <source>how an answer is drawn</source>
        <translation>como uma resposta é desenhada</translation>
    </message>
    <message>
        <source>a long answer, to scroll and to stop</source>
        <translation>uma resposta longa, para rolar e parar</translation>
    </message>
    <message>
        <source>what happens when a connection breaks</source>
        <translation>o que acontece quando uma conexão cai</translation>
    </message>
    <message>
        <source>everything else</source>
        <translation>todo o resto</translation>
    </message>
    <message>
        <source>I am the **demo model**. I come with ChatDesk, need no network and no account, and know nothing; but I can show you what ChatDesk does with the answers of a real model.</source>
        <translation>Eu sou o **modelo de demonstração**. Venho com o ChatDesk, não preciso de rede nem de conta e não sei nada; mas posso mostrar o que o ChatDesk faz com as respostas de um modelo de verdade.</translation>
    </message>
    <message>
        <source>What you can do</source>
        <translation>O que você pode fazer</translation>
    </message>
    <message>
        <source>How</source>
        <translation>Como</translation>
    </message>
    <message>
        <source>Ask again, or another model</source>
        <translation>Perguntar de novo, ou a outro modelo</translation>
    </message>
    <message>
        <source>the buttons below an answer, or Ctrl+R</source>
        <translation>os botões abaixo de uma resposta, ou Ctrl+R</translation>
    </message>
    <message>
        <source>Change a question</source>
        <translation>Mudar uma pergunta</translation>
    </message>
    <message>
        <source>its pencil; the old version stays</source>
        <translation>o lápis dela; a versão antiga fica</translation>
    </message>
    <message>
        <source>Try another direction</source>
        <translation>Tentar outro caminho</translation>
    </message>
    <message>
        <source>*Branch* in the menu of a message</source>
        <translation>*Ramificar para uma nova conversa* no menu de uma mensagem</translation>
    </message>
    <message>
        <source>Ask several models at once</source>
        <translation>Perguntar a vários modelos ao mesmo tempo</translation>
    </message>
    <message>
        <source>*Compare models…* in the list of models</source>
        <translation>*Comparar modelos…* na lista de modelos</translation>
    </message>
    <message>
        <source>Attach a file or a picture</source>
        <translation>Anexar um arquivo ou uma imagem</translation>
    </message>
    <message>
        <source>drop it on the window, or paste it</source>
        <translation>solte na janela, ou cole</translation>
    </message>
    <message>
        <source>Stop an answer</source>
        <translation>Parar uma resposta</translation>
    </message>
    <message>
        <source>Esc</source>
        <translation>Esc</translation>
    </message>
    <message>
        <source>**Ctrl+K** finds every word of every thread, **Ctrl+Shift+P** every command, and **F1** opens the help.</source>
        <translation>**Ctrl+K** encontra cada palavra de cada conversa, **Ctrl+Shift+P** cada comando, e **F1** abre a ajuda.</translation>
    </message>
    <message>
        <source>Projects, tags, pins and an archive keep order; what was deleted waits in the trash.</source>
        <translation>Projetos, etiquetas, fixados e um arquivo mantêm a ordem; o que foi excluído espera na lixeira.</translation>
    </message>
    <message>
        <source>Everything is on this computer. *Import…* takes over what you have in ChatGPT, Claude and others.</source>
        <translation>Tudo está neste computador. *Importar…* traz o que você tem no ChatGPT, no Claude e em outros.</translation>
    </message>
    <message>
        <source>The window closes at any time: no word is lost, and an answer can be continued.</source>
        <translation>A janela fecha a qualquer momento: nenhuma palavra se perde, e uma resposta pode ser continuada.</translation>
    </message>
    <message>
        <source>Choose *Add provider…* in the list of models at the top, and paste a key.</source>
        <translation>Escolha *Adicionar provedor…* na lista de modelos no alto e cole uma chave.</translation>
    </message>
    <message>
        <source>Or start a server on this computer, such as Ollama: it is found by itself.</source>
        <translation>Ou inicie um servidor neste computador, como o Ollama: ele é encontrado sozinho.</translation>
    </message>
    <message>
        <source>Type `/demo` to see what else I can show.</source>
        <translation>Digite `/demo` para ver o que mais posso mostrar.</translation>
    </message>
    <message>
        <source>Answers</source>
        <translation>Respostas</translation>
    </message>
    <message>
        <source>Code has colours, a button to copy it, and scrolls on its own:</source>
        <translation>O código tem cores, um botão para copiar e rola separado:</translation>
    </message>
    <message>
        <source>Formulas are drawn, {formula}, and tables are tables:</source>
        <translation>Fórmulas são desenhadas, {formula}, e tabelas são tabelas:</translation>
    </message>
    <message>
        <source>Your threads</source>
        <translation>Suas conversas</translation>
    </message>
    <message>
        <source>Next</source>
        <comment>steps</comment>
        <translation>A seguir</translation>
    </message>
    <message>
        <source>Tools</source>
        <translation>Ferramentas</translation>
    </message>
    <message>
        <source>Embeddings</source>
        <translation>Embeddings</translation>
    </message>
    <message>
        <source>Week of {words}</source>
        <translation>Semana de {words}</translation>
    </message>
    <message>
        <source>The server&apos;s own model</source>
        <translation>O modelo do próprio servidor</translation>
    </message>
    <message>
        <source>A project that is gone</source>
        <translation>Um projeto que não existe mais</translation>
    </message>
    <message>
        <source>No project</source>
        <translation>Nenhum projeto</translation>
    </message>
    <message>
        <source>There is no such token.</source>
        <translation>Não há tal token.</translation>
    </message>
    <message>
        <source>&apos;chatdesk tokens list&apos; shows them all.</source>
        <translation>&apos;chatdesk tokens list&apos; mostra todos.</translation>
    </message>
    <message>
        <source>A token needs a name.</source>
        <translation>Um token precisa de um nome.</translation>
    </message>
    <message>
        <source>Give it the name of the program that will use it.</source>
        <translation>Dê a ele o nome do programa que vai usá-lo.</translation>
    </message>
    <message>
        <source>There is already a token called “{name}”.</source>
        <translation>Já há um token chamado “{name}”.</translation>
    </message>
    <message>
        <source>The folder of the tokens, {folder}, cannot be written to: {reason}.</source>
        <translation>Não é possível gravar na pasta dos tokens, {folder}: {reason}.</translation>
    </message>
    <message>
        <source>Make it writable; on Linux XDG_STATE_HOME may name another place, here and for the service.</source>
        <translation>Torne-a gravável; no Linux, XDG_STATE_HOME pode indicar outro lugar, aqui e para o serviço.</translation>
    </message>
    <message>
        <source>owner</source>
        <comment>data directory</comment>
        <translation>detentor</translation>
    </message>
    <message>
        <source>complete</source>
        <translation>completa</translation>
    </message>
    <message>
        <source>database</source>
        <translation>banco de dados</translation>
    </message>
    <message>
        <source>settings</source>
        <translation>configurações</translation>
    </message>
    <message>
        <source>valid</source>
        <translation>válido</translation>
    </message>
    <message>
        <source>{key} (on, {until})</source>
        <translation>{key} (ligado, {until})</translation>
    </message>
    <message>
        <source>{key} (off, {until})</source>
        <translation>{key} (desligado, {until})</translation>
    </message>
    <message>
        <source>valid; tried out until the day given: {trials}</source>
        <translation>válidas; em teste até o dia indicado: {trials}</translation>
    </message>
    <message>
        <source>{path} (made when the first thread is)</source>
        <translation>{path} (criado com a primeira conversa)</translation>
    </message>
    <message>
        <source>Restore a backup (&apos;chatdesk restore --list&apos;; they are in {backup_dir}), or copy out what reads with &apos;chatdesk doctor --repair&apos;.</source>
        <translation>Restaure um backup (&apos;chatdesk restore --list&apos;; eles estão em {backup_dir}), ou copie o que pode ser lido com &apos;chatdesk doctor --repair&apos;.</translation>
    </message>
    <message>
        <source>&apos;chatdesk doctor --repair&apos; repairs it.</source>
        <translation>&apos;chatdesk doctor --repair&apos; o repara.</translation>
    </message>
    <message numerus="yes">
        <source>{path} is damaged ({count} findings: {first}).</source>
        <comment>{path} is damaged ({count} finding: {first}).</comment>
        <translation>
            <numerusform>{path} está danificado ({count} achado: {first}).</numerusform>
            <numerusform>{path} está danificado ({count} achados: {first}).</numerusform>
        </translation>
    </message>
    <message>
        <source>{path} is sound; schema {schema}, SQLite {sqlite}</source>
        <translation>{path} está em ordem; esquema {schema}, SQLite {sqlite}</translation>
    </message>
    <message>
        <source>database opening</source>
        <translation>abertura do banco</translation>
    </message>
    <message>
        <source>database writing</source>
        <translation>escrita no banco</translation>
    </message>
    <message>
        <source>workspace {name}</source>
        <translation>espaço de trabalho {name}</translation>
    </message>
    <message>
        <source>{database} on {host}; parked: this profile was restored or repaired, or a copy of it is in use; Connect again in Settings, Team sync, or &apos;chatdesk team join&apos; connects</source>
        <translation>{database} em {host}; estacionado: este perfil foi restaurado ou reparado, ou uma cópia dele está em uso; “Conectar de novo” em Configurações, Sincronização da equipe, ou &apos;chatdesk team join&apos; conecta</translation>
    </message>
    <message>
        <source>{shared} shared, {waiting} waiting to be sent, {refused} refused</source>
        <translation>{shared} compartilhados, {waiting} por enviar, {refused} recusados</translation>
    </message>
    <message>
        <source>nothing was synced yet</source>
        <translation>nada foi sincronizado ainda</translation>
    </message>
    <message>
        <source>newest line of its log, {at}: {problem}</source>
        <translation>linha mais nova do registro, {at}: {problem}</translation>
    </message>
    <message>
        <source>newest line of its log, {at}: {sent} sent, {received} received</source>
        <translation>linha mais nova do registro, {at}: {sent} enviados, {received} recebidos</translation>
    </message>
    <message>
        <source>Details in the line below the threads says why, copies out, and tries again</source>
        <translation>“Detalhes…” na linha abaixo das conversas diz por quê, copia e tenta de novo</translation>
    </message>
    <message>
        <source>{let_in} shared with you again; choose Share… to send their copies</source>
        <translation>{let_in} compartilhados com você de novo; escolha Compartilhar… para enviar suas cópias</translation>
    </message>
    <message>
        <source>{first}; {rest}</source>
        <translation>{first}; {rest}</translation>
    </message>
    <message>
        <source>provider {name}</source>
        <translation>provedor {name}</translation>
    </message>
    <message>
        <source>file of providers</source>
        <translation>arquivo de provedores</translation>
    </message>
    <message>
        <source>there is none yet</source>
        <translation>ainda não existe</translation>
    </message>
    <message>
        <source>A backup in {backup_dir} may still have the original.</source>
        <translation>Um backup em {backup_dir} pode tê-lo como era.</translation>
    </message>
    <message>
        <source>no window is open and no other command is running</source>
        <translation>nenhuma janela está aberta e nenhum outro comando está em andamento</translation>
    </message>
    <message>
        <source>a window</source>
        <translation>uma janela</translation>
    </message>
    <message>
        <source>{name}, process {pid}</source>
        <translation>{name}, processo {pid}</translation>
    </message>
    <message>
        <source>{who}, does not answer. If it hangs, end it.</source>
        <translation>{who}, não responde. Se travou, encerre-o.</translation>
    </message>
    <message>
        <source>{count} {status}</source>
        <translation>{count} {status}</translation>
    </message>
    <message>
        <source>{who}, open for {minutes} min; {late} ms late at most; answers: {answers}; {waiting} waiting.</source>
        <translation>{who}, aberta há {minutes} min; {late} ms de atraso no máximo; respostas: {answers}; {waiting} em espera.</translation>
    </message>
    <message>
        <source>Its database cannot be read ({reason}).</source>
        <translation>Seu banco de dados não pode ser lido ({reason}).</translation>
    </message>
    <message>
        <source>the last write failed</source>
        <translation>a última gravação falhou</translation>
    </message>
    <message>
        <source>It cannot save ({reason}).</source>
        <translation>Não consegue salvar ({reason}).</translation>
    </message>
    <message>
        <source>It reacts late.</source>
        <translation>Reage com atraso.</translation>
    </message>
    <message>
        <source>Provider {id} cannot be reached.</source>
        <translation>O provedor {id} não pode ser alcançado.</translation>
    </message>
    <message>
        <source>Workspace {workspace}: {reason}.</source>
        <translation>Espaço de trabalho {workspace}: {reason}.</translation>
    </message>
    <message>
        <source>keyring</source>
        <translation>chaveiro</translation>
    </message>
    <message>
        <source>{detail} Keys come from variables or an encrypted file, or hold for one run.</source>
        <translation>{detail} As chaves vêm de variáveis ou de um arquivo criptografado, ou valem por uma execução.</translation>
    </message>
    <message>
        <source>{missing} missing or damaged: token counts are estimates.</source>
        <translation>{missing} ausentes ou danificados: as contagens de tokens são estimativas.</translation>
    </message>
    <message>
        <source>token encodings</source>
        <translation>codificações de tokens</translation>
    </message>
    <message>
        <source>both here and intact</source>
        <translation>as duas estão aqui e intactas</translation>
    </message>
    <message>
        <source>updates</source>
        <translation>atualizações</translation>
    </message>
    <message>
        <source>Another process has this data directory open.</source>
        <translation>Outro processo tem este diretório de dados aberto.</translation>
    </message>
    <message>
        <source>Restore in its window.</source>
        <translation>Restaure na janela dele.</translation>
    </message>
    <message>
        <source>The model did not answer within {longest_s} s.</source>
        <translation>O modelo não respondeu em {longest_s} s.</translation>
    </message>
    <message>
        <source>Read projects, threads and messages</source>
        <translation>Ler projetos, conversas e mensagens</translation>
    </message>
    <message>
        <source>Create, change and trash threads and messages; write notes</source>
        <translation>Criar, alterar e mover para a lixeira conversas e mensagens; escrever notas</translation>
    </message>
    <message>
        <source>Ask questions and stop answers</source>
        <translation>Fazer perguntas e parar respostas</translation>
    </message>
    <message>
        <source>Administer ChatDesk</source>
        <translation>Administrar o ChatDesk</translation>
    </message>
    <message>
        <source>Connect from another computer</source>
        <translation>Conectar a partir de outro computador</translation>
    </message>
    <message>
        <source>The local service is off.</source>
        <translation>O serviço local está desligado.</translation>
    </message>
    <message>
        <source>Turn it on in the settings.</source>
        <translation>Ligue-o nas configurações.</translation>
    </message>
    <message>
        <source>Close it first, or choose another --data-dir.</source>
        <translation>Feche-o antes ou escolha outro --data-dir.</translation>
    </message>
    <message>
        <source>The local service ended because of a fault in ChatDesk.</source>
        <translation>O serviço local terminou por causa de uma falha no ChatDesk.</translation>
    </message>
    <message>
        <source>Try again; the log says more.</source>
        <translation>Tente novamente; o log diz mais.</translation>
    </message>
    <message>
        <source>You: {question}</source>
        <translation>Você: {question}</translation>
    </message>
    <message>
        <source>Status: {status}. Thread: {id}.</source>
        <translation>Status: {status}. Conversa: {id}.</translation>
    </message>
    <message>
        <source>Screenshot: {path}</source>
        <translation>Captura de tela: {path}</translation>
    </message>
    <message>
        <source>Screenshot: could not be saved</source>
        <translation>Captura de tela: não pôde ser salva</translation>
    </message>
    <message>
        <source>Something failed that ChatDesk needs to start.</source>
        <translation>Falhou algo de que o ChatDesk precisa para iniciar.</translation>
    </message>
    <message>
        <source>Start it again; “chatdesk doctor” and the log say more.</source>
        <translation>Inicie-o de novo; “chatdesk doctor” e o log dizem mais.</translation>
    </message>
    <message>
        <source>Not saved</source>
        <translation>Não salvo</translation>
    </message>
    <message>
        <source>All changes saved</source>
        <translation>Todas as alterações salvas</translation>
    </message>
    <message>
        <source>Not opened</source>
        <translation>Não aberto</translation>
    </message>
    <message>
        <source>Read only</source>
        <translation>Somente leitura</translation>
    </message>
    <message>
        <source>The database was upgraded; a backup of the old one is kept.</source>
        <translation>O banco de dados foi atualizado; um backup do antigo foi mantido.</translation>
    </message>
    <message numerus="yes">
        <source>{count} answers were interrupted last time. The text is kept; Continue goes on.</source>
        <comment>An answer was interrupted last time. The text is kept; Continue goes on.</comment>
        <translation>
            <numerusform>Uma resposta foi interrompida da última vez. O texto foi mantido; Continuar prossegue.</numerusform>
            <numerusform>{count} respostas foram interrompidas da última vez. O texto foi mantido; Continuar prossegue.</numerusform>
        </translation>
    </message>
    <message>
        <source>ChatDesk ended unexpectedly last time. Your messages are kept.</source>
        <translation>O ChatDesk terminou inesperadamente da última vez. Suas mensagens foram mantidas.</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>Ajuda</translation>
    </message>
    <message>
        <source>The pages of help are not in this installation of ChatDesk.</source>
        <translation>As páginas de ajuda não estão nesta instalação do ChatDesk.</translation>
    </message>
    <message>
        <source>The pages of help open outside of ChatDesk. They are in {page}.</source>
        <translation>As páginas de ajuda se abrem fora do ChatDesk. Elas estão em {page}.</translation>
    </message>
    <message>
        <source>Save the report</source>
        <translation>Salvar o relatório</translation>
    </message>
    <message>
        <source>Zip (*.zip)</source>
        <translation>Zip (*.zip)</translation>
    </message>
    <message>
        <source>Saved as {name}.</source>
        <translation>Salvo como {name}.</translation>
    </message>
    <message>
        <source>{one} and {other}</source>
        <translation>{one} e {other}</translation>
    </message>
    <message>
        <source>No connection to {providers}. Your questions are kept.</source>
        <translation>Sem conexão com {providers}. Suas perguntas foram mantidas.</translation>
    </message>
    <message numerus="yes">
        <source>No connection to {providers}. {count} questions are kept, and sent when it is back.</source>
        <comment>No connection to {providers}. Your question is kept, and sent when it is back.</comment>
        <translation>
            <numerusform>Sem conexão com {providers}. Sua pergunta foi mantida e é enviada quando a conexão voltar.</numerusform>
            <numerusform>Sem conexão com {providers}. {count} perguntas foram mantidas e são enviadas quando a conexão voltar.</numerusform>
        </translation>
    </message>
    <message>
        <source>Close a window first: {count} are open.</source>
        <translation>Feche uma janela antes: {count} estão abertas.</translation>
    </message>
    <message>
        <source>A temporary chat stays in its place. Keep it to open it elsewhere.</source>
        <translation>Um chat temporário fica em seu lugar. Mantenha-o para abri-lo em outro lugar.</translation>
    </message>
    <message>
        <source>My message is in the attached file, because it is too long to be sent whole.</source>
        <translation>Minha mensagem está no arquivo anexado, porque é longa demais para ser enviada inteira.</translation>
    </message>
    <message>
        <source>Sent as a file, from which the model gets what fits</source>
        <translation>Enviada como arquivo, do qual o modelo recebe o que couber</translation>
    </message>
    <message>
        <source>Type a message</source>
        <translation>Digite uma mensagem</translation>
    </message>
    <message>
        <source>New thread</source>
        <translation>Nova conversa</translation>
    </message>
    <message>
        <source>New temporary chat</source>
        <translation>Novo chat temporário</translation>
    </message>
    <message>
        <source>Keep this temporary chat</source>
        <translation>Manter este chat temporário</translation>
    </message>
    <message>
        <source>Close the temporary chat</source>
        <translation>Fechar o chat temporário</translation>
    </message>
    <message>
        <source>Rename thread</source>
        <translation>Renomear conversa</translation>
    </message>
    <message>
        <source>Pin or unpin thread</source>
        <translation>Fixar ou desafixar conversa</translation>
    </message>
    <message>
        <source>Mark as read</source>
        <translation>Marcar como lida</translation>
    </message>
    <message>
        <source>Archive thread, or take it out</source>
        <translation>Arquivar conversa, ou desarquivá-la</translation>
    </message>
    <message>
        <source>Move to a project…</source>
        <translation>Mover para um projeto…</translation>
    </message>
    <message>
        <source>Tags of the thread…</source>
        <translation>Etiquetas da conversa…</translation>
    </message>
    <message>
        <source>Restore from the trash</source>
        <translation>Restaurar da lixeira</translation>
    </message>
    <message>
        <source>Mark all threads of the list</source>
        <translation>Marcar todas as conversas da lista</translation>
    </message>
    <message>
        <source>Ctrl+A in the list</source>
        <translation>Ctrl+A na lista</translation>
    </message>
    <message>
        <source>System prompt…</source>
        <translation>Prompt do sistema…</translation>
    </message>
    <message>
        <source>Choose the model…</source>
        <translation>Escolher o modelo…</translation>
    </message>
    <message>
        <source>Parameters…</source>
        <translation>Parâmetros…</translation>
    </message>
    <message>
        <source>Copy thread</source>
        <translation>Copiar conversa</translation>
    </message>
    <message>
        <source>Copy link to the thread</source>
        <translation>Copiar link da conversa</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>Exportar…</translation>
    </message>
    <message>
        <source>Export thread as Markdown…</source>
        <translation>Exportar conversa como Markdown…</translation>
    </message>
    <message>
        <source>Export thread as JSON…</source>
        <translation>Exportar conversa como JSON…</translation>
    </message>
    <message>
        <source>Delete thread</source>
        <translation>Excluir conversa</translation>
    </message>
    <message>
        <source>Del in the list</source>
        <translation>Del na lista</translation>
    </message>
    <message>
        <source>Erase thread for everyone…</source>
        <translation>Apagar conversa para todos…</translation>
    </message>
    <message>
        <source>Undo the last change</source>
        <translation>Desfazer a última alteração</translation>
    </message>
    <message>
        <source>Redo what was undone</source>
        <translation>Refazer o que foi desfeito</translation>
    </message>
    <message>
        <source>Switch project…</source>
        <translation>Trocar de projeto…</translation>
    </message>
    <message>
        <source>New project…</source>
        <translation>Novo projeto…</translation>
    </message>
    <message>
        <source>Edit project…</source>
        <translation>Editar projeto…</translation>
    </message>
    <message>
        <source>Files of the project…</source>
        <translation>Arquivos do projeto…</translation>
    </message>
    <message>
        <source>Memory…</source>
        <translation>Memória…</translation>
    </message>
    <message>
        <source>System prompt of the project…</source>
        <translation>Prompt do sistema do projeto…</translation>
    </message>
    <message>
        <source>Parameters of the project…</source>
        <translation>Parâmetros do projeto…</translation>
    </message>
    <message>
        <source>Share project, or change its sharing…</source>
        <translation>Compartilhar projeto, ou alterar o compartilhamento…</translation>
    </message>
    <message>
        <source>Archive project, or take it out</source>
        <translation>Arquivar projeto, ou desarquivá-lo</translation>
    </message>
    <message>
        <source>Delete project…</source>
        <translation>Excluir projeto…</translation>
    </message>
    <message>
        <source>All tags…</source>
        <translation>Todas as etiquetas…</translation>
    </message>
    <message>
        <source>Stop the answer</source>
        <translation>Parar a resposta</translation>
    </message>
    <message>
        <source>Go to the call that waits for approval</source>
        <translation>Ir para a chamada que espera aprovação</translation>
    </message>
    <message>
        <source>Review proposed changes to files</source>
        <translation>Revisar alterações propostas em arquivos</translation>
    </message>
    <message>
        <source>Add as note</source>
        <translation>Adicionar como nota</translation>
    </message>
    <message>
        <source>Regenerate the last answer</source>
        <translation>Gerar a última resposta de novo</translation>
    </message>
    <message>
        <source>Regenerate with another model…</source>
        <translation>Gerar de novo com outro modelo…</translation>
    </message>
    <message>
        <source>Compare models…</source>
        <translation>Comparar modelos…</translation>
    </message>
    <message>
        <source>Edit my last message</source>
        <translation>Editar minha última mensagem</translation>
    </message>
    <message>
        <source>Up in an empty composer</source>
        <translation>Seta para cima em um campo de mensagem vazio</translation>
    </message>
    <message>
        <source>Edit the answer</source>
        <translation>Editar a resposta</translation>
    </message>
    <message>
        <source>Open the page of an answer in the browser</source>
        <translation>Abrir a página de uma resposta no navegador</translation>
    </message>
    <message>
        <source>Stop the answer and send the waiting question</source>
        <translation>Parar a resposta e enviar a pergunta em espera</translation>
    </message>
    <message>
        <source>Edit the last waiting question</source>
        <translation>Editar a última pergunta em espera</translation>
    </message>
    <message>
        <source>Attach files…</source>
        <translation>Anexar arquivos…</translation>
    </message>
    <message>
        <source>Insert a prompt…</source>
        <translation>Inserir um prompt…</translation>
    </message>
    <message>
        <source>/ in an empty line</source>
        <translation>/ em uma linha vazia</translation>
    </message>
    <message>
        <source>Save as prompt…</source>
        <translation>Salvar como prompt…</translation>
    </message>
    <message>
        <source>Prompts…</source>
        <translation>Prompts…</translation>
    </message>
    <message>
        <source>Choose assistant…</source>
        <translation>Escolher assistente…</translation>
    </message>
    <message>
        <source>@ for one question</source>
        <translation>@ para uma pergunta</translation>
    </message>
    <message>
        <source>Copy the last answer</source>
        <translation>Copiar a última resposta</translation>
    </message>
    <message>
        <source>Copy the selection as Markdown</source>
        <translation>Copiar a seleção como Markdown</translation>
    </message>
    <message>
        <source>Copy the selection as plain text</source>
        <translation>Copiar a seleção como texto simples</translation>
    </message>
    <message>
        <source>Copy the selection as rich text</source>
        <translation>Copiar a seleção como texto formatado</translation>
    </message>
    <message>
        <source>Copy link to the message</source>
        <translation>Copiar link da mensagem</translation>
    </message>
    <message>
        <source>Quote the selection in the composer</source>
        <translation>Citar a seleção no campo de mensagem</translation>
    </message>
    <message>
        <source>Remember the selection…</source>
        <translation>Memorizar a seleção…</translation>
    </message>
    <message>
        <source>Previous version</source>
        <translation>Versão anterior</translation>
    </message>
    <message>
        <source>Next version</source>
        <translation>Próxima versão</translation>
    </message>
    <message>
        <source>Compare versions</source>
        <translation>Comparar versões</translation>
    </message>
    <message>
        <source>Continue the answer</source>
        <translation>Continuar a resposta</translation>
    </message>
    <message>
        <source>Ask for a shorter answer</source>
        <translation>Pedir uma resposta mais curta</translation>
    </message>
    <message>
        <source>Ask for a longer answer</source>
        <translation>Pedir uma resposta mais longa</translation>
    </message>
    <message>
        <source>Branch into a new thread</source>
        <translation>Ramificar para uma nova conversa</translation>
    </message>
    <message>
        <source>Open code or a file as artifact</source>
        <translation>Abrir código ou um arquivo como artefato</translation>
    </message>
    <message>
        <source>Pin into the context, or unpin</source>
        <translation>Fixar no contexto, ou desafixar</translation>
    </message>
    <message>
        <source>Exclude from the context, or include</source>
        <translation>Excluir do contexto, ou incluir</translation>
    </message>
    <message>
        <source>Start the context here</source>
        <translation>Começar o contexto aqui</translation>
    </message>
    <message>
        <source>Start the context at the beginning</source>
        <translation>Começar o contexto no início</translation>
    </message>
    <message>
        <source>Delete the message</source>
        <translation>Excluir a mensagem</translation>
    </message>
    <message>
        <source>Search everything…</source>
        <translation>Buscar em tudo…</translation>
    </message>
    <message>
        <source>Filter the list of threads</source>
        <translation>Filtrar a lista de conversas</translation>
    </message>
    <message>
        <source>Find in thread</source>
        <translation>Localizar na conversa</translation>
    </message>
    <message>
        <source>Next match</source>
        <translation>Próximo resultado</translation>
    </message>
    <message>
        <source>Previous match</source>
        <translation>Resultado anterior</translation>
    </message>
    <message>
        <source>Show the questions of this thread</source>
        <translation>Mostrar as perguntas desta conversa</translation>
    </message>
    <message>
        <source>Jump to a date…</source>
        <translation>Ir para uma data…</translation>
    </message>
    <message>
        <source>Go to the composer</source>
        <translation>Ir para o campo de mensagem</translation>
    </message>
    <message>
        <source>Previous thread</source>
        <translation>Conversa anterior</translation>
    </message>
    <message>
        <source>Next thread</source>
        <translation>Próxima conversa</translation>
    </message>
    <message>
        <source>Next part of the window</source>
        <translation>Próxima parte da janela</translation>
    </message>
    <message>
        <source>Previous part of the window</source>
        <translation>Parte anterior da janela</translation>
    </message>
    <message>
        <source>Show or hide the sidebar</source>
        <translation>Mostrar ou ocultar a barra lateral</translation>
    </message>
    <message>
        <source>Show threads</source>
        <translation>Mostrar conversas</translation>
    </message>
    <message>
        <source>Show the archive</source>
        <translation>Mostrar as arquivadas</translation>
    </message>
    <message>
        <source>Show the trash</source>
        <translation>Mostrar a lixeira</translation>
    </message>
    <message>
        <source>Deleted messages…</source>
        <translation>Mensagens excluídas…</translation>
    </message>
    <message>
        <source>Empty the trash…</source>
        <translation>Esvaziar a lixeira…</translation>
    </message>
    <message>
        <source>Sort threads by name or by last activity</source>
        <translation>Ordenar conversas por nome ou por última atividade</translation>
    </message>
    <message>
        <source>Group threads by project or by date</source>
        <translation>Agrupar conversas por projeto ou por data</translation>
    </message>
    <message>
        <source>Wider sidebar</source>
        <translation>Barra lateral mais larga</translation>
    </message>
    <message>
        <source>Narrower sidebar</source>
        <translation>Barra lateral mais estreita</translation>
    </message>
    <message>
        <source>Show or hide the inspector</source>
        <translation>Mostrar ou ocultar o inspetor</translation>
    </message>
    <message>
        <source>Show what the model will see</source>
        <translation>Mostrar o que o modelo verá</translation>
    </message>
    <message>
        <source>Show the summary of older messages</source>
        <translation>Mostrar o resumo das mensagens mais antigas</translation>
    </message>
    <message>
        <source>Show what this thread used</source>
        <translation>Mostrar o que esta conversa gastou</translation>
    </message>
    <message>
        <source>Show the tree of versions</source>
        <translation>Mostrar a árvore de versões</translation>
    </message>
    <message>
        <source>Show the artifacts of this thread</source>
        <translation>Mostrar os artefatos desta conversa</translation>
    </message>
    <message>
        <source>Switch theme</source>
        <translation>Trocar tema</translation>
    </message>
    <message>
        <source>Larger text</source>
        <translation>Texto maior</translation>
    </message>
    <message>
        <source>Smaller text</source>
        <translation>Texto menor</translation>
    </message>
    <message>
        <source>Normal text size</source>
        <translation>Tamanho normal do texto</translation>
    </message>
    <message>
        <source>Show or hide the menu bar</source>
        <translation>Mostrar ou ocultar a barra de menus</translation>
    </message>
    <message>
        <source>Add a provider…</source>
        <translation>Adicionar um provedor…</translation>
    </message>
    <message>
        <source>Tools…</source>
        <translation>Ferramentas…</translation>
    </message>
    <message>
        <source>Manage models…</source>
        <translation>Gerenciar modelos…</translation>
    </message>
    <message>
        <source>Import…</source>
        <translation>Importar…</translation>
    </message>
    <message>
        <source>Back up now</source>
        <translation>Fazer backup agora</translation>
    </message>
    <message>
        <source>Restore a backup…</source>
        <translation>Restaurar um backup…</translation>
    </message>
    <message>
        <source>Check the database</source>
        <translation>Verificar o banco de dados</translation>
    </message>
    <message>
        <source>Repair the database</source>
        <translation>Reparar o banco de dados</translation>
    </message>
    <message>
        <source>Quick question</source>
        <translation>Pergunta rápida</translation>
    </message>
    <message>
        <source>All commands…</source>
        <translation>Todos os comandos…</translation>
    </message>
    <message>
        <source>Settings…</source>
        <translation>Configurações…</translation>
    </message>
    <message>
        <source>Team sync…</source>
        <translation>Sincronização da equipe…</translation>
    </message>
    <message>
        <source>Join a workspace…</source>
        <translation>Entrar em um espaço de trabalho…</translation>
    </message>
    <message>
        <source>Invite to the workspace…</source>
        <translation>Convidar para o espaço de trabalho…</translation>
    </message>
    <message>
        <source>Sync now</source>
        <translation>Sincronizar agora</translation>
    </message>
    <message>
        <source>Details of team sync…</source>
        <translation>Detalhes da sincronização da equipe…</translation>
    </message>
    <message>
        <source>Usage…</source>
        <translation>Uso…</translation>
    </message>
    <message>
        <source>Messages that wait to be sent…</source>
        <translation>Mensagens que esperam para ser enviadas…</translation>
    </message>
    <message>
        <source>Limits…</source>
        <translation>Limites…</translation>
    </message>
    <message>
        <source>Report a problem…</source>
        <translation>Relatar um problema…</translation>
    </message>
    <message>
        <source>Updates…</source>
        <translation>Atualizações…</translation>
    </message>
    <message>
        <source>About ChatDesk</source>
        <translation>Sobre o ChatDesk</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>Sair</translation>
    </message>
    <message>
        <source>Thread</source>
        <translation>Conversa</translation>
    </message>
    <message>
        <source>Project</source>
        <translation>Projeto</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>Mensagem</translation>
    </message>
    <message>
        <source>Go</source>
        <translation>Ir</translation>
    </message>
    <message>
        <source>View</source>
        <translation>Exibir</translation>
    </message>
    <message>
        <source>Application</source>
        <translation>Aplicativo</translation>
    </message>
    <message>
        <source>These keys cannot be used.</source>
        <translation>Estas teclas não podem ser usadas.</translation>
    </message>
    <message>
        <source>{keys} is needed for writing and moving about. Add Ctrl or Alt.</source>
        <translation>{keys} é necessário para escrever e se mover. Acrescente Ctrl ou Alt.</translation>
    </message>
    <message>
        <source>{keys} is needed in every text field.</source>
        <translation>{keys} é necessário em todo campo de texto.</translation>
    </message>
    <message>
        <source>{keys} belongs to the system and would not reach ChatDesk.</source>
        <translation>{keys} pertence ao sistema e não chegaria ao ChatDesk.</translation>
    </message>
    <message>
        <source>There is no finished message here.</source>
        <translation>Não há mensagem concluída aqui.</translation>
    </message>
    <message>
        <source>There is no finished answer here.</source>
        <translation>Não há resposta concluída aqui.</translation>
    </message>
    <message>
        <source>Shorter</source>
        <translation>Mais curta</translation>
    </message>
    <message>
        <source>Longer</source>
        <translation>Mais longa</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>Copiar</translation>
    </message>
    <message>
        <source>Copy selection</source>
        <translation>Copiar seleção</translation>
    </message>
    <message>
        <source>Copy as Markdown</source>
        <translation>Copiar como Markdown</translation>
    </message>
    <message>
        <source>Copy as plain text</source>
        <translation>Copiar como texto simples</translation>
    </message>
    <message>
        <source>Copy as rich text</source>
        <translation>Copiar como texto formatado</translation>
    </message>
    <message>
        <source>Copy link</source>
        <translation>Copiar link</translation>
    </message>
    <message>
        <source>Quote</source>
        <translation>Citar</translation>
    </message>
    <message>
        <source>Quote selection</source>
        <translation>Citar seleção</translation>
    </message>
    <message>
        <source>Remember selection…</source>
        <translation>Memorizar a seleção…</translation>
    </message>
    <message>
        <source>Open as artifact</source>
        <translation>Abrir como artefato</translation>
    </message>
    <message>
        <source>No message in view has a file, or code of 15 lines or more.</source>
        <translation>Nenhuma mensagem à vista tem um arquivo ou código de 15 linhas ou mais.</translation>
    </message>
    <message>
        <source>Open page in browser</source>
        <translation>Abrir página no navegador</translation>
    </message>
    <message>
        <source>No message in view has a block of HTML.</source>
        <translation>Nenhuma mensagem à vista tem um bloco de HTML.</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>Resposta</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>Nota</translation>
    </message>
    <message>
        <source>Reasoning</source>
        <translation>Raciocínio</translation>
    </message>
    <message>
        <source>Tool call</source>
        <translation>Chamada de ferramenta</translation>
    </message>
    <message>
        <source>Image: {name}</source>
        <translation>Imagem: {name}</translation>
    </message>
    <message>
        <source>File: {name}</source>
        <translation>Arquivo: {name}</translation>
    </message>
    <message>
        <source>Image: {name} ({problem})</source>
        <translation>Imagem: {name} ({problem})</translation>
    </message>
    <message>
        <source>File: {name} ({problem})</source>
        <translation>Arquivo: {name} ({problem})</translation>
    </message>
    <message>
        <source>attachment</source>
        <translation>anexo</translation>
    </message>
    <message>
        <source>its bytes are missing or damaged</source>
        <translation>o conteúdo falta ou está danificado</translation>
    </message>
    <message>
        <source>at an unknown time</source>
        <translation>em data desconhecida</translation>
    </message>
    <message>
        <source>{year}-{month}-{day} {hour}:{minute} UTC</source>
        <translation>{day}/{month}/{year} {hour}:{minute} UTC</translation>
    </message>
    <message>
        <source>The link “{words}” leads to {place}.</source>
        <translation>O link “{words}” leva a {place}.</translation>
    </message>
    <message>
        <source>More links of this message lead elsewhere than their words say.</source>
        <translation>Outros links desta mensagem levam a um lugar diferente do que dizem.</translation>
    </message>
    <message>
        <source>Answer</source>
        <comment>verb</comment>
        <translation>Responder</translation>
    </message>
    <message>
        <source>Regenerate</source>
        <translation>Gerar de novo</translation>
    </message>
    <message>
        <source>Answer with another model…</source>
        <translation>Responder com outro modelo…</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>Editar</translation>
    </message>
    <message>
        <source>Continue</source>
        <translation>Continuar</translation>
    </message>
    <message>
        <source>There is no answer here that could be continued.</source>
        <translation>Não há aqui resposta que possa ser continuada.</translation>
    </message>
    <message>
        <source>Decide about open calls…</source>
        <translation>Decidir sobre chamadas abertas…</translation>
    </message>
    <message>
        <source>Review proposed changes…</source>
        <translation>Revisar alterações propostas…</translation>
    </message>
    <message>
        <source>No answer here proposes changes to files.</source>
        <translation>Nenhuma resposta aqui propõe alterações em arquivos.</translation>
    </message>
    <message>
        <source>Edit answer</source>
        <translation>Editar resposta</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>Tentar novamente</translation>
    </message>
    <message>
        <source>There is no earlier version of this message.</source>
        <translation>Não há versão anterior desta mensagem.</translation>
    </message>
    <message>
        <source>There is no later version of this message.</source>
        <translation>Não há versão posterior desta mensagem.</translation>
    </message>
    <message>
        <source>This answer has one version only.</source>
        <translation>Esta resposta só tem uma versão.</translation>
    </message>
    <message>
        <source>Pin into the context</source>
        <translation>Fixar no contexto</translation>
    </message>
    <message>
        <source>Unpin from the context</source>
        <translation>Desafixar do contexto</translation>
    </message>
    <message>
        <source>Exclude from the context</source>
        <translation>Excluir do contexto</translation>
    </message>
    <message>
        <source>Include in the context</source>
        <translation>Incluir no contexto</translation>
    </message>
    <message>
        <source>Let the model see it</source>
        <translation>Deixar o modelo vê-la</translation>
    </message>
    <message>
        <source>Include in the context again</source>
        <translation>Incluir de novo no contexto</translation>
    </message>
    <message>
        <source>The context starts here already.</source>
        <translation>O contexto já começa aqui.</translation>
    </message>
    <message>
        <source>The context starts at the beginning already.</source>
        <translation>O contexto já começa no início.</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>Excluir</translation>
    </message>
    <message>
        <source>Erase for everyone…</source>
        <translation>Apagar para todos…</translation>
    </message>
    <message>
        <source>Open in a new window</source>
        <translation>Abrir em uma nova janela</translation>
    </message>
    <message>
        <source>Open beside</source>
        <translation>Abrir ao lado</translation>
    </message>
    <message>
        <source>Close this chat or window</source>
        <translation>Fechar este chat ou janela</translation>
    </message>
    <message>
        <source>Go to the chat at the left</source>
        <translation>Ir para o chat à esquerda</translation>
    </message>
    <message>
        <source>Go to the chat at the right</source>
        <translation>Ir para o chat à direita</translation>
    </message>
    <message>
        <source>Keep this one</source>
        <translation>Manter esta</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>Parar</translation>
    </message>
    <message>
        <source>Edited answer</source>
        <translation>Resposta editada</translation>
    </message>
    <message>
        <source>Stop the edited answer</source>
        <translation>Parar a resposta editada</translation>
    </message>
    <message>
        <source>Keep the edited answer</source>
        <translation>Manter a resposta editada</translation>
    </message>
    <message>
        <source>Keep the answer</source>
        <translation>Manter a resposta</translation>
    </message>
    <message>
        <source>Answer of {model}</source>
        <translation>Resposta de {model}</translation>
    </message>
    <message>
        <source>Stop the answer of {model}</source>
        <translation>Parar a resposta de {model}</translation>
    </message>
    <message>
        <source>Keep the answer of {model}</source>
        <translation>Manter a resposta de {model}</translation>
    </message>
    <message>
        <source>Compared answers</source>
        <translation>Respostas comparadas</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>Voltar</translation>
    </message>
    <message>
        <source>Back to the thread; all answers stay as versions</source>
        <translation>Voltar à conversa; todas as respostas ficam como versões</translation>
    </message>
    <message>
        <source>Your question: {question}</source>
        <translation>Sua pergunta: {question}</translation>
    </message>
    <message>
        <source>{name}, being copied</source>
        <translation>{name}, sendo copiado</translation>
    </message>
    <message>
        <source>Remove {file}</source>
        <translation>Remover {file}</translation>
    </message>
    <message>
        <source>Remove (Delete)</source>
        <translation>Remover (Delete)</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>Remover</translation>
    </message>
    <message>
        <source>{name} is attached</source>
        <translation>{name} foi anexado</translation>
    </message>
    <message>
        <source>{name} is removed</source>
        <translation>{name} foi removido</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>Enviar</translation>
    </message>
    <message>
        <source>Stop the answer (Esc)</source>
        <translation>Parar a resposta (Esc)</translation>
    </message>
    <message>
        <source>Attach files</source>
        <translation>Anexar arquivos</translation>
    </message>
    <message>
        <source>Files, prompts, parameters and tools</source>
        <translation>Arquivos, prompts, parâmetros e ferramentas</translation>
    </message>
    <message>
        <source>Wait for the answer, or press Esc to stop it. Your text is kept.</source>
        <translation>Espere pela resposta ou pressione Esc para pará-la. Seu texto foi mantido.</translation>
    </message>
    <message>
        <source>{size} is more than one message can hold ({limit}). Split the text.</source>
        <translation>{size} é mais do que uma mensagem pode conter ({limit}). Divida o texto.</translation>
    </message>
    <message>
        <source>Send after the answer</source>
        <translation>Enviar depois da resposta</translation>
    </message>
    <message>
        <source>The files are still being copied. The message is sent when they are there.</source>
        <translation>Os arquivos ainda estão sendo copiados. A mensagem é enviada quando estiverem lá.</translation>
    </message>
    <message>
        <source>Not sent yet: see the note above your text, then send again.</source>
        <translation>Ainda não enviada: veja o aviso acima do seu texto e envie de novo.</translation>
    </message>
    <message>
        <source>Prompts</source>
        <translation>Prompts</translation>
    </message>
    <message numerus="yes">
        <source>{count} prompts, arrows choose, Enter inserts, Esc closes.</source>
        <comment>{count} prompt, arrows choose, Enter inserts, Esc closes.</comment>
        <translation>
            <numerusform>{count} prompt, setas escolhem, Enter insere, Esc fecha.</numerusform>
            <numerusform>{count} prompts, setas escolhem, Enter insere, Esc fecha.</numerusform>
        </translation>
    </message>
    <message>
        <source>Edit prompts…</source>
        <translation>Editar prompts…</translation>
    </message>
    <message>
        <source>All templates and system prompts</source>
        <translation>Todos os modelos de texto e prompts do sistema</translation>
    </message>
    <message>
        <source>Find a prompt</source>
        <translation>Localizar um prompt</translation>
    </message>
    <message>
        <source>No prompt matches.</source>
        <translation>Nenhum prompt corresponde.</translation>
    </message>
    <message>
        <source>{item}, {row} of {count}</source>
        <translation>{item}, {row} de {count}</translation>
    </message>
    <message>
        <source>{leave}: {state}</source>
        <translation>{leave}: {state}</translation>
    </message>
    <message>
        <source>Move up: {text}</source>
        <translation>Mover para cima: {text}</translation>
    </message>
    <message>
        <source>Send it before the one above</source>
        <translation>Enviá-la antes da que está acima</translation>
    </message>
    <message>
        <source>Take it back into the text below</source>
        <translation>Trazê-la de volta ao texto abaixo</translation>
    </message>
    <message>
        <source>Send now</source>
        <translation>Enviar agora</translation>
    </message>
    <message>
        <source>Stop the answer, keep what came, and ask this</source>
        <translation>Parar a resposta, manter o que chegou e perguntar isto</translation>
    </message>
    <message numerus="yes">
        <source>{count} more wait…</source>
        <comment>{count} more waits…</comment>
        <translation>
            <numerusform>Mais {count} espera…</numerusform>
            <numerusform>Mais {count} esperam…</numerusform>
        </translation>
    </message>
    <message>
        <source>Save these files as a zip and send it with a description of what went wrong. They contain no messages, titles, file names or keys. Look through them first; nothing is sent automatically.</source>
        <translation>Salve estes arquivos como zip e envie-o com uma descrição do que deu errado. Eles não contêm mensagens, títulos, nomes de arquivos ou chaves. Examine-os antes; nada é enviado automaticamente.</translation>
    </message>
    <message>
        <source>Report a problem</source>
        <translation>Relatar um problema</translation>
    </message>
    <message>
        <source>Files of the report</source>
        <translation>Arquivos do relatório</translation>
    </message>
    <message>
        <source>Text of the file</source>
        <translation>Texto do arquivo</translation>
    </message>
    <message>
        <source>Collecting…</source>
        <translation>Coletando…</translation>
    </message>
    <message>
        <source>Save as a zip…</source>
        <translation>Salvar como zip…</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>Fechar</translation>
    </message>
    <message numerus="yes">
        <source>{count} files, {size} before packing</source>
        <comment>{count} file, {size} before packing</comment>
        <translation>
            <numerusform>{count} arquivo, {size} antes de compactar</numerusform>
            <numerusform>{count} arquivos, {size} antes de compactar</numerusform>
        </translation>
    </message>
    <message>
        <source>(The end of it; the zip has all {count} characters.)
…{end}</source>
        <translation>(O fim dele; o zip tem todos os {count} caracteres.)
…{end}</translation>
    </message>
    <message>
        <source>What you typed is not saved. Press Esc again to leave without it.</source>
        <translation>O que você digitou não foi salvo. Pressione Esc de novo para sair sem salvar.</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>Cancelar</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>Escolher…</translation>
    </message>
    <message>
        <source>Choose: {name}</source>
        <translation>Escolher: {name}</translation>
    </message>
    <message>
        <source>Remove: {name}</source>
        <translation>Remover: {name}</translation>
    </message>
    <message>
        <source>Press the keys…</source>
        <translation>Pressione as teclas…</translation>
    </message>
    <message>
        <source>{keys}. Press Enter to choose others, Delete to remove them, Esc to keep them.</source>
        <translation>{keys}. Pressione Enter para escolher outras, Delete para removê-las, Esc para mantê-las.</translation>
    </message>
    <message>
        <source>Copy report</source>
        <translation>Copiar relatório</translation>
    </message>
    <message>
        <source>Show file</source>
        <translation>Mostrar arquivo</translation>
    </message>
    <message>
        <source>The report could not be read: {reason}.</source>
        <translation>O relatório não pôde ser lido: {reason}.</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>Copiado</translation>
    </message>
    <message>
        <source>Version {version}, with Python {python} and Qt {qt_version}.

Inter and JetBrains Mono are used under the SIL Open Font License, the Lucide icons under the ISC licence.</source>
        <translation>Versão {version}, com Python {python} e Qt {qt_version}.

Inter e JetBrains Mono são usadas sob a SIL Open Font License, os ícones Lucide sob a licença ISC.</translation>
    </message>
    <message>
        <source>Send the message</source>
        <translation>Enviar a mensagem</translation>
    </message>
    <message>
        <source>Enter</source>
        <translation>Enter</translation>
    </message>
    <message>
        <source>New line in the composer</source>
        <translation>Nova linha no campo de mensagem</translation>
    </message>
    <message>
        <source>Shift+Enter</source>
        <translation>Shift+Enter</translation>
    </message>
    <message>
        <source>Walk through threads</source>
        <translation>Percorrer conversas</translation>
    </message>
    <message>
        <source>Up or Down in the list</source>
        <translation>Seta para cima ou para baixo na lista</translation>
    </message>
    <message>
        <source>Open the thread</source>
        <translation>Abrir a conversa</translation>
    </message>
    <message>
        <source>Enter in the list</source>
        <translation>Enter na lista</translation>
    </message>
    <message>
        <source>Mark threads</source>
        <translation>Marcar conversas</translation>
    </message>
    <message>
        <source>Shift+Down or Ctrl+Space in the list</source>
        <translation>Shift+seta para baixo ou Ctrl+Espaço na lista</translation>
    </message>
    <message>
        <source>Menu of a thread</source>
        <translation>Menu de uma conversa</translation>
    </message>
    <message>
        <source>Menu in the list</source>
        <translation>Menu na lista</translation>
    </message>
    <message>
        <source>Between messages</source>
        <translation>Entre mensagens</translation>
    </message>
    <message>
        <source>Ctrl+Down or Ctrl+Up in the thread</source>
        <translation>Ctrl+seta para baixo ou para cima na conversa</translation>
    </message>
    <message>
        <source>Links and buttons</source>
        <translation>Links e botões</translation>
    </message>
    <message>
        <source>Tab in the thread</source>
        <translation>Tab na conversa</translation>
    </message>
    <message>
        <source>Menu of the message</source>
        <translation>Menu da mensagem</translation>
    </message>
    <message>
        <source>Enter or Menu in the thread</source>
        <translation>Enter ou Menu na conversa</translation>
    </message>
    <message>
        <source>Walk through the text</source>
        <translation>Percorrer o texto</translation>
    </message>
    <message>
        <source>F7 in the thread</source>
        <translation>F7 na conversa</translation>
    </message>
    <message>
        <source>Next group of results</source>
        <translation>Próximo grupo de resultados</translation>
    </message>
    <message>
        <source>Tab in the search</source>
        <translation>Tab na busca</translation>
    </message>
    <message>
        <source>Press the new keys for “{name}”.</source>
        <translation>Pressione as novas teclas para “{name}”.</translation>
    </message>
    <message>
        <source>Use these</source>
        <translation>Usar estas</translation>
    </message>
    <message>
        <source>{keys} belongs to “{name}”, which would lose it.</source>
        <translation>{keys} pertence a “{name}”, que as perderia.</translation>
    </message>
    <message>
        <source>Take over</source>
        <translation>Assumir</translation>
    </message>
    <message>
        <source>{keys} is free.</source>
        <translation>{keys} está livre.</translation>
    </message>
    <message>
        <source>In place</source>
        <translation>No lugar</translation>
    </message>
    <message>
        <source>changed</source>
        <translation>alterado</translation>
    </message>
    <message>
        <source>changed keys</source>
        <translation>teclas alteradas</translation>
    </message>
    <message>
        <source>no keys</source>
        <translation>sem teclas</translation>
    </message>
    <message>
        <source>usual keys</source>
        <translation>teclas usuais</translation>
    </message>
    <message>
        <source>Find a command or keys</source>
        <translation>Localizar um comando ou teclas</translation>
    </message>
    <message>
        <source>Commands and their keys</source>
        <translation>Comandos e suas teclas</translation>
    </message>
    <message>
        <source>Enter changes the keys, Delete takes them away</source>
        <translation>Enter altera as teclas, Delete as retira</translation>
    </message>
    <message>
        <source>a very long answer (some 6,000 words)</source>
        <translation>uma resposta muito longa (umas 6.000 palavras)</translation>
    </message>
    <message>
        <source>code in several languages</source>
        <translation>código em várias linguagens</translation>
    </message>
    <message>
        <source>tables, narrow and wide</source>
        <translation>tabelas, estreitas e largas</translation>
    </message>
    <message>
        <source>formulas</source>
        <translation>fórmulas</translation>
    </message>
    <message>
        <source>a picture, which is kept as a file of the answer</source>
        <translation>uma imagem, que fica como arquivo da resposta</translation>
    </message>
    <message>
        <source>every kind of Markdown</source>
        <translation>todo tipo de Markdown</translation>
    </message>
    <message>
        <source>eight pieces a second: time to press Stop</source>
        <translation>oito pedaços por segundo: tempo para apertar Parar</translation>
    </message>
    <message>
        <source>too many requests: a wait that is announced, then an error</source>
        <translation>solicitações demais: uma espera anunciada, depois um erro</translation>
    </message>
    <message>
        <source>the same wait, then an answer</source>
        <translation>a mesma espera, depois uma resposta</translation>
    </message>
    <message>
        <source>the connection breaks in the middle; Continue finishes</source>
        <translation>a conexão cai no meio; Continuar termina</translation>
    </message>
    <message>
        <source>thoughts before the answer</source>
        <translation>pensamentos antes da resposta</translation>
    </message>
    <message>
        <source>a tool call</source>
        <translation>uma chamada de ferramenta</translation>
    </message>
    <message>
        <source>There is no demo called {name}. These exist:</source>
        <translation>Não há demonstração chamada {name}. Existem estas:</translation>
    </message>
    <message>
        <source>Try one of these:</source>
        <translation>Experimente uma destas:</translation>
    </message>
    <message>
        <source>Command</source>
        <translation>Comando</translation>
    </message>
    <message>
        <source>What it shows</source>
        <translation>O que mostra</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>Teclas</translation>
    </message>
    <message>
        <source>State</source>
        <translation>Estado</translation>
    </message>
    <message>
        <source>Change keys…</source>
        <translation>Alterar teclas…</translation>
    </message>
    <message>
        <source>Take away</source>
        <translation>Retirar</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>Redefinir</translation>
    </message>
    <message>
        <source>Reset all</source>
        <translation>Redefinir tudo</translation>
    </message>
    <message>
        <source>New keys</source>
        <translation>Novas teclas</translation>
    </message>
    <message>
        <source>An unexpected failure</source>
        <translation>Uma falha inesperada</translation>
    </message>
    <message>
        <source>Something went wrong in ChatDesk. Your messages are kept.</source>
        <translation>Algo deu errado no ChatDesk. Suas mensagens foram mantidas.</translation>
    </message>
    <message>
        <source>Something went wrong in ChatDesk. Your messages are kept, and you can go on. A report was written, without your messages. To send it to the developers, choose “Report a problem…” in the menu: you see everything first.</source>
        <translation>Algo deu errado no ChatDesk. Suas mensagens foram mantidas, e você pode continuar. Um relatório foi gravado, sem suas mensagens. Para enviá-lo aos desenvolvedores, escolha “Relatar um problema…” no menu: você vê tudo antes.</translation>
    </message>
    <message>
        <source>Details…</source>
        <translation>Detalhes…</translation>
    </message>
    <message>
        <source>This text is too long to be drawn. Its source is shown.</source>
        <translation>Este texto é longo demais para ser desenhado. Seu código-fonte é mostrado.</translation>
    </message>
    <message>
        <source>They differ too much to be compared line by line; what differs is shown as replaced.</source>
        <translation>Diferem demais para serem comparados linha por linha; o que difere é mostrado como substituído.</translation>
    </message>
    <message numerus="yes">
        <source>The first {count} rows are shown.</source>
        <comment>The first {count} row is shown.</comment>
        <translation>
            <numerusform>A primeira {count} linha é mostrada.</numerusform>
            <numerusform>As primeiras {count} linhas são mostradas.</numerusform>
        </translation>
    </message>
    <message>
        <source>{added}, {removed}.</source>
        <translation>{added}, {removed}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines added</source>
        <comment>{count} line added</comment>
        <translation>
            <numerusform>{count} linha adicionada</numerusform>
            <numerusform>{count} linhas adicionadas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} lines removed</source>
        <comment>{count} line removed</comment>
        <translation>
            <numerusform>{count} linha removida</numerusform>
            <numerusform>{count} linhas removidas</numerusform>
        </translation>
    </message>
    <message>
        <source>No line differs.</source>
        <translation>Nenhuma linha difere.</translation>
    </message>
    <message>
        <source>in a version of the thread that is not shown</source>
        <translation>em uma versão da conversa que não é mostrada</translation>
    </message>
    <message>
        <source>This text is too large to be edited here. Save it, edit it elsewhere, and attach the result.</source>
        <translation>Este texto é grande demais para ser editado aqui. Salve-o, edite-o em outro lugar e anexe o resultado.</translation>
    </message>
    <message>
        <source>Your unfinished edit is back</source>
        <translation>Sua edição inacabada está de volta</translation>
    </message>
    <message>
        <source>Your changes were left out</source>
        <translation>Suas alterações ficaram de fora</translation>
    </message>
    <message>
        <source>Edit again</source>
        <translation>Editar de novo</translation>
    </message>
    <message>
        <source>Your edit of {name} is a version of it</source>
        <translation>Sua edição de {name} é uma versão dele</translation>
    </message>
    <message>
        <source>Artifacts are stored on disk; a temporary chat is not.</source>
        <translation>Artefatos são guardados em disco; um chat temporário não é.</translation>
    </message>
    <message>
        <source>Change the attached file {name} and answer with all of it in one code block.</source>
        <translation>Altere o arquivo anexado {name} e responda com ele inteiro em um bloco de código.</translation>
    </message>
    <message>
        <source>Removed from the list</source>
        <translation>Removido da lista</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>Desfazer</translation>
    </message>
    <message>
        <source>Answer with another model</source>
        <translation>Responder com outro modelo</translation>
    </message>
    <message>
        <source>Pasted image.png</source>
        <translation>Imagem colada.png</translation>
    </message>
    <message>
        <source>Files are stored on disk; a temporary chat is not.</source>
        <translation>Arquivos são guardados em disco; um chat temporário não é.</translation>
    </message>
    <message>
        <source>It is right</source>
        <translation>Está correto</translation>
    </message>
    <message>
        <source>Is “{sample}” in “{name}” read right?</source>
        <translation>“{sample}” em “{name}” foi lido corretamente?</translation>
    </message>
    <message>
        <source>“{name}” is read as {encoding}: “{sample}”.</source>
        <translation>“{name}” é lido como {encoding}: “{sample}”.</translation>
    </message>
    <message>
        <source>Of “{name}” only the name is sent.</source>
        <translation>De “{name}” só o nome é enviado.</translation>
    </message>
    <message>
        <source>“{name}”: {problem}</source>
        <translation>“{name}”: {problem}</translation>
    </message>
    <message>
        <source>Read otherwise…</source>
        <translation>Ler de outra forma…</translation>
    </message>
    <message>
        <source>Not sent yet: say above your text whether “{name}” is read right.</source>
        <translation>Ainda não enviado: diga acima do seu texto se “{name}” foi lido corretamente.</translation>
    </message>
    <message>
        <source>The picture in the clipboard cannot be read.</source>
        <translation>A imagem na área de transferência não pode ser lida.</translation>
    </message>
    <message>
        <source>This thread has no message yet.</source>
        <translation>Esta conversa ainda não tem mensagem.</translation>
    </message>
    <message>
        <source>Nothing was written on that day or later.</source>
        <translation>Nada foi escrito nesse dia ou depois.</translation>
    </message>
    <message>
        <source>What goes to the trash can be brought back, at once with Ctrl+Z and later from the inspector&apos;s tree.</source>
        <translation>O que vai para a lixeira pode ser trazido de volta, na hora com Ctrl+Z e mais tarde pela árvore do inspetor.</translation>
    </message>
    <message>
        <source>Delete this message only, or also those after it?</source>
        <translation>Excluir só esta mensagem ou também as que vêm depois dela?</translation>
    </message>
    <message>
        <source>Do not ask again</source>
        <translation>Não perguntar de novo</translation>
    </message>
    <message>
        <source>Settings can make ChatDesk ask again.</source>
        <translation>As configurações podem fazer o ChatDesk perguntar de novo.</translation>
    </message>
    <message>
        <source>With later messages</source>
        <translation>Com as mensagens posteriores</translation>
    </message>
    <message>
        <source>This message only</source>
        <translation>Só esta mensagem</translation>
    </message>
    <message>
        <source>Deleted messages</source>
        <translation>Mensagens excluídas</translation>
    </message>
    <message>
        <source>Restored messages go back to their place.</source>
        <translation>Mensagens restauradas voltam ao seu lugar.</translation>
    </message>
    <message>
        <source>No message is in the trash.</source>
        <translation>Nenhuma mensagem está na lixeira.</translation>
    </message>
    <message>
        <source>Restore</source>
        <translation>Restaurar</translation>
    </message>
    <message>
        <source>Show the thread</source>
        <translation>Mostrar a conversa</translation>
    </message>
    <message>
        <source>{day} {time}</source>
        <translation>{day} {time}</translation>
    </message>
    <message>
        <source>Without text</source>
        <translation>Sem texto</translation>
    </message>
    <message>
        <source>Question in “{title}”, deleted {when}</source>
        <translation>Pergunta em “{title}”, excluída {when}</translation>
    </message>
    <message>
        <source>Answer in “{title}”, deleted {when}</source>
        <translation>Resposta em “{title}”, excluída {when}</translation>
    </message>
    <message>
        <source>Question and {more} more in “{title}”, deleted {when}</source>
        <translation>Pergunta e mais {more} em “{title}”, excluídas {when}</translation>
    </message>
    <message>
        <source>Answer and {more} more in “{title}”, deleted {when}</source>
        <translation>Resposta e mais {more} em “{title}”, excluídas {when}</translation>
    </message>
    <message>
        <source>Message restored</source>
        <translation>Mensagem restaurada</translation>
    </message>
    <message>
        <source>It leaves the server, and every computer when it syncs next. This cannot be undone. What stays: backups of the server and of computers until they are replaced, private copies of members who left, and what somebody copied or exported.</source>
        <translation>Sai do servidor, e de cada computador quando ele sincronizar da próxima vez. Isto não pode ser desfeito. O que fica: backups do servidor e dos computadores até serem substituídos, cópias privadas de membros que saíram, e o que alguém copiou ou exportou.</translation>
    </message>
    <message>
        <source>Erase this thread for everyone?</source>
        <translation>Apagar esta conversa para todos?</translation>
    </message>
    <message>
        <source>Erase this message for everyone?</source>
        <translation>Apagar esta mensagem para todos?</translation>
    </message>
    <message>
        <source>Erase for everyone</source>
        <translation>Apagar para todos</translation>
    </message>
    <message>
        <source>It is in the trash, and is erased as soon as the server has taken it.</source>
        <translation>Está na lixeira e é apagada assim que o servidor a aceitar.</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages go, with attached files and the summaries that mention them.</source>
        <comment>{count} message goes, with attached files and the summaries that mention them.</comment>
        <translation>
            <numerusform>{count} mensagem se vai, com arquivos anexados e os resumos que a mencionam.</numerusform>
            <numerusform>{count} mensagens se vão, com arquivos anexados e os resumos que as mencionam.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages of others stay in the trash: only owners and admins of the project erase what others wrote.</source>
        <comment>{count} message of others stays in the trash: only owners and admins of the project erase what others wrote.</comment>
        <translation>
            <numerusform>{count} mensagem de outros fica na lixeira: só proprietários e administradores do projeto apagam o que outros escreveram.</numerusform>
            <numerusform>{count} mensagens de outros ficam na lixeira: só proprietários e administradores do projeto apagam o que outros escreveram.</numerusform>
        </translation>
    </message>
    <message>
        <source>It is not sent, because this model cannot see images.</source>
        <translation>Não é enviada porque este modelo não vê imagens.</translation>
    </message>
    <message>
        <source>It is empty.</source>
        <translation>Está vazio.</translation>
    </message>
    <message>
        <source>Its middle is left out, because it does not fit.</source>
        <translation>O meio é omitido porque não cabe.</translation>
    </message>
    <message>
        <source>this model</source>
        <translation>este modelo</translation>
    </message>
    <message numerus="yes">
        <source>{count} images are not sent, because {model} cannot see images: only their names are.</source>
        <comment>The image is not sent, because {model} cannot see images: only its name is.</comment>
        <translation>
            <numerusform>A imagem não é enviada porque {model} não vê imagens; só o nome dela.</numerusform>
            <numerusform>{count} imagens não são enviadas porque {model} não vê imagens; só os nomes delas.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>It is not known whether {model} sees images. {count} are sent.</source>
        <comment>It is not known whether {model} sees images. The image is sent.</comment>
        <translation>
            <numerusform>Não se sabe se {model} vê imagens. A imagem é enviada.</numerusform>
            <numerusform>Não se sabe se {model} vê imagens. {count} são enviadas.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The middle of {count} files is left out, because they do not fit.</source>
        <comment>The middle of “{name}” is left out, because it does not fit.</comment>
        <translation>
            <numerusform>O meio de “{name}” é omitido porque não cabe.</numerusform>
            <numerusform>O meio de {count} arquivos é omitido porque não cabem.</numerusform>
        </translation>
    </message>
    <message>
        <source>The size of the context of {model} is not known: {count} tokens are assumed.</source>
        <translation>O tamanho do contexto de {model} não é conhecido: supõem-se {count} tokens.</translation>
    </message>
    <message numerus="yes">
        <source>It is not known whether {models} see images; they are sent.</source>
        <comment>It is not known whether {models} sees images; they are sent.</comment>
        <translation>
            <numerusform>Não se sabe se {models} vê imagens; elas são enviadas.</numerusform>
            <numerusform>Não se sabe se {models} veem imagens; elas são enviadas.</numerusform>
        </translation>
    </message>
    <message>
        <source>Do not send images</source>
        <translation>Não enviar imagens</translation>
    </message>
    <message>
        <source>Ask {model} instead</source>
        <translation>Perguntar a {model} em vez disso</translation>
    </message>
    <message numerus="yes">
        <source>They can</source>
        <comment>It can</comment>
        <translation>
            <numerusform>Vê</numerusform>
            <numerusform>Veem</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{models} cannot see images: only their names are sent.</source>
        <comment>{models} cannot see images: only their names are sent.</comment>
        <translation>
            <numerusform>{models} não vê imagens: só os nomes delas são enviados.</numerusform>
            <numerusform>{models} não veem imagens: só os nomes delas são enviados.</numerusform>
        </translation>
    </message>
    <message>
        <source>Jump to a date</source>
        <translation>Ir para uma data</translation>
    </message>
    <message>
        <source>From {first} to {last}</source>
        <translation>De {first} a {last}</translation>
    </message>
    <message>
        <source>Date</source>
        <translation>Data</translation>
    </message>
    <message>
        <source>Calendar</source>
        <translation>Calendário</translation>
    </message>
    <message>
        <source>Days</source>
        <translation>Dias</translation>
    </message>
    <message>
        <source>Previous month</source>
        <translation>Mês anterior</translation>
    </message>
    <message>
        <source>Next month</source>
        <translation>Próximo mês</translation>
    </message>
    <message>
        <source>Send or cancel what you are editing first.</source>
        <translation>Envie ou cancele antes o que está editando.</translation>
    </message>
    <message>
        <source>Added as a note</source>
        <translation>Adicionado como nota</translation>
    </message>
    <message>
        <source>Nothing was changed, so the answer stays as it is.</source>
        <translation>Nada foi alterado, então a resposta fica como está.</translation>
    </message>
    <message>
        <source>Stop comparing</source>
        <translation>Parar de comparar</translation>
    </message>
    <message>
        <source>A temporary chat cannot have branches.</source>
        <translation>Um chat temporário não pode ter ramificações.</translation>
    </message>
    <message>
        <source>branch</source>
        <translation>criar uma ramificação</translation>
    </message>
    <message>
        <source>This is a branch. The thread it came from stays as it is.</source>
        <translation>Esta é uma ramificação. A conversa de onde veio fica como está.</translation>
    </message>
    <message>
        <source>Sending makes a version that is marked as yours.</source>
        <translation>Enviar cria uma versão marcada como sua.</translation>
    </message>
    <message>
        <source>Editing an answer.</source>
        <translation>Editando uma resposta.</translation>
    </message>
    <message>
        <source>Editing a question.</source>
        <translation>Editando uma pergunta.</translation>
    </message>
    <message>
        <source>Editing your last question. Sending makes a new version.</source>
        <translation>Editando sua última pergunta. Enviar cria uma nova versão.</translation>
    </message>
    <message>
        <source>leave the edit</source>
        <translation>sair da edição</translation>
    </message>
    <message>
        <source>Wait for the answer, or press Esc to stop it. Then it can be edited.</source>
        <translation>Espere pela resposta ou pressione Esc para pará-la. Depois ela pode ser editada.</translation>
    </message>
    <message numerus="yes">
        <source>{count} later messages stay in version {version}.</source>
        <comment>{count} later message stays in version {version}.</comment>
        <translation>
            <numerusform>{count} mensagem posterior fica na versão {version}.</numerusform>
            <numerusform>{count} mensagens posteriores ficam na versão {version}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Comparing {count} models</source>
        <comment>Comparing {count} model</comment>
        <translation>
            <numerusform>Comparando {count} modelo</numerusform>
            <numerusform>Comparando {count} modelos</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} answers this question.</source>
        <translation>{name} responde a esta pergunta.</translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation>Temperatura</translation>
    </message>
    <message>
        <source>Low is steady, high is varied.</source>
        <translation>Baixa é constante, alta é variada.</translation>
    </message>
    <message>
        <source>How many of the likely words are considered.</source>
        <translation>Quantas das palavras prováveis são consideradas.</translation>
    </message>
    <message>
        <source>In tokens. This much of the context is kept free.</source>
        <translation>Em tokens. Esta parte do contexto é mantida livre.</translation>
    </message>
    <message>
        <source>Reasoning effort</source>
        <translation>Esforço de raciocínio</translation>
    </message>
    <message>
        <source>How long the model thinks before it answers.</source>
        <translation>Quanto tempo o modelo pensa antes de responder.</translation>
    </message>
    <message>
        <source>Stop words</source>
        <translation>Palavras de parada</translation>
    </message>
    <message>
        <source>The answer ends before any of these. One a line, at most four.</source>
        <translation>A resposta termina antes de qualquer uma destas. Uma por linha, no máximo quatro.</translation>
    </message>
    <message>
        <source>Minimal</source>
        <translation>Mínimo</translation>
    </message>
    <message>
        <source>Low</source>
        <translation>Baixo</translation>
    </message>
    <message>
        <source>Medium</source>
        <translation>Médio</translation>
    </message>
    <message>
        <source>High</source>
        <translation>Alto</translation>
    </message>
    <message numerus="yes">
        <source>{count} parameters</source>
        <comment>{count} parameter</comment>
        <translation>
            <numerusform>{count} parâmetro</numerusform>
            <numerusform>{count} parâmetros</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} {value}</source>
        <translation>{name} {value}</translation>
    </message>
    <message>
        <source>Empty means: {value}.</source>
        <translation>Vazio significa: {value}.</translation>
    </message>
    <message>
        <source>Same as the project: {value}</source>
        <translation>Igual ao projeto: {value}</translation>
    </message>
    <message>
        <source>Up to {number}</source>
        <translation>Até {number}</translation>
    </message>
    <message>
        <source>Model&apos;s default</source>
        <translation>Padrão do modelo</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>Salvar</translation>
    </message>
    <message>
        <source>Used whenever this assistant answers; what is empty follows the thread.</source>
        <translation>Usados sempre que este assistente responde; o que está vazio segue a conversa.</translation>
    </message>
    <message>
        <source>Empties every field, so that the project&apos;s values apply.</source>
        <translation>Esvazia todos os campos, para que valham os valores do projeto.</translation>
    </message>
    <message>
        <source>Empties every field, so that the model&apos;s own values apply.</source>
        <translation>Esvazia todos os campos, para que valham os valores do próprio modelo.</translation>
    </message>
    <message>
        <source>{title} must be a whole number, such as {example}.</source>
        <translation>{title} deve ser um número inteiro, como {example}.</translation>
    </message>
    <message>
        <source>{title} must be a number, such as {example}.</source>
        <translation>{title} deve ser um número, como {example}.</translation>
    </message>
    <message>
        <source>Parameters of this thread</source>
        <translation>Parâmetros desta conversa</translation>
    </message>
    <message>
        <source>Parameters of the project {name}</source>
        <translation>Parâmetros do projeto {name}</translation>
    </message>
    <message>
        <source>Parameters of {name}</source>
        <translation>Parâmetros de {name}</translation>
    </message>
    <message>
        <source>Parameters of the assistant</source>
        <translation>Parâmetros do assistente</translation>
    </message>
    <message>
        <source>The model</source>
        <translation>O modelo</translation>
    </message>
    <message>
        <source>Used from the next answer on.</source>
        <translation>Usados a partir da próxima resposta.</translation>
    </message>
    <message>
        <source>Used in threads that have none of their own.</source>
        <translation>Usados em conversas que não têm os seus.</translation>
    </message>
    <message>
        <source>{others} or {last}</source>
        <translation>{others} ou {last}</translation>
    </message>
    <message>
        <source>{model} has no {parameters}.</source>
        <translation>{model} não tem {parameters}.</translation>
    </message>
    <message>
        <source>Parameters: {parameters}</source>
        <translation>Parâmetros: {parameters}</translation>
    </message>
    <message>
        <source>change the parameters</source>
        <translation>alterar os parâmetros</translation>
    </message>
    <message>
        <source>Saved. The next answer is made with these parameters.</source>
        <translation>Salvo. A próxima resposta é feita com estes parâmetros.</translation>
    </message>
    <message>
        <source>Saved for all threads of the project that have none of their own.</source>
        <translation>Salvo para todas as conversas do projeto que não têm os seus.</translation>
    </message>
    <message>
        <source>Send it there</source>
        <translation>Enviar para lá</translation>
    </message>
    <message>
        <source>Keep the temporary chat?</source>
        <translation>Manter o chat temporário?</translation>
    </message>
    <message>
        <source>Nothing of it is stored. Keep it as a thread like any other, or let it go for good.</source>
        <translation>Nada dele é guardado. Mantenha-o como uma conversa qualquer ou deixe-o ir definitivamente.</translation>
    </message>
    <message>
        <source>Do not keep</source>
        <translation>Não manter</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>Manter</translation>
    </message>
    <message>
        <source>Keep and go on</source>
        <translation>Manter e continuar</translation>
    </message>
    <message>
        <source>The chat is kept as soon as the answer is written.</source>
        <translation>O chat será mantido assim que a resposta estiver escrita.</translation>
    </message>
    <message>
        <source>Kept. It is a thread like any other now.</source>
        <translation>Mantido. Agora é uma conversa como qualquer outra.</translation>
    </message>
    <message>
        <source>Temporary chat</source>
        <translation>Chat temporário</translation>
    </message>
    <message>
        <source>Go to the temporary chat</source>
        <translation>Ir para o chat temporário</translation>
    </message>
    <message>
        <source>Save code</source>
        <translation>Salvar código</translation>
    </message>
    <message>
        <source>Save a copy</source>
        <translation>Salvar uma cópia</translation>
    </message>
    <message>
        <source>Page of an answer</source>
        <translation>Página de uma resposta</translation>
    </message>
    <message>
        <source>No browser could be opened.</source>
        <translation>Nenhum navegador pôde ser aberto.</translation>
    </message>
    <message>
        <source>Choose a browser in the settings of your system, or save the page as a file.</source>
        <translation>Escolha um navegador nas configurações do seu sistema ou salve a página como arquivo.</translation>
    </message>
    <message>
        <source>Opened in your browser</source>
        <translation>Aberto no seu navegador</translation>
    </message>
    <message>
        <source>Saved to {name}</source>
        <translation>Salvo em {name}</translation>
    </message>
    <message>
        <source>The message is unchanged.</source>
        <translation>A mensagem está inalterada.</translation>
    </message>
    <message>
        <source>Undone</source>
        <translation>Desfeito</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>Refazer</translation>
    </message>
    <message>
        <source>Redo</source>
        <comment>a step</comment>
        <translation>Refazer</translation>
    </message>
    <message>
        <source>This cannot be undone: {label}.</source>
        <translation>Isto não pode ser desfeito: {label}.</translation>
    </message>
    <message>
        <source>{words} Before it: {older}, which was left as it is.</source>
        <translation>{words} Antes disso: {older}, que ficou como está.</translation>
    </message>
    <message>
        <source>Undo that, too</source>
        <translation>Desfazer isso também</translation>
    </message>
    <message>
        <source>Redone</source>
        <translation>Refeito</translation>
    </message>
    <message>
        <source>{what} in “{title}”: {label}</source>
        <translation>{what} em “{title}”: {label}</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages moved to the trash</source>
        <comment>Message moved to the trash</comment>
        <translation>
            <numerusform>Mensagem movida para a lixeira</numerusform>
            <numerusform>{count} mensagens movidas para a lixeira</numerusform>
        </translation>
    </message>
    <message>
        <source>your question</source>
        <translation>sua pergunta</translation>
    </message>
    <message>
        <source>your draft</source>
        <translation>seu rascunho</translation>
    </message>
    <message>
        <source>your artifact</source>
        <translation>seu artefato</translation>
    </message>
    <message numerus="yes">
        <source>{names} are not saved yet, but kept here. ChatDesk tries again.</source>
        <comment>{names} is not saved yet, but kept here. ChatDesk tries again.</comment>
        <translation>
            <numerusform>Ainda não salvo, mas guardado aqui: {names}. O ChatDesk tenta de novo.</numerusform>
            <numerusform>Ainda não salvos, mas guardados aqui: {names}. O ChatDesk tenta de novo.</numerusform>
        </translation>
    </message>
    <message>
        <source>Version {number} of {count}, edited by you</source>
        <translation>Versão {number} de {count}, editada por você</translation>
    </message>
    <message>
        <source>Version {number} of {count}</source>
        <translation>Versão {number} de {count}</translation>
    </message>
    <message>
        <source>Version {number} of {count}, edited by {name}</source>
        <translation>Versão {number} de {count}, editada por {name}</translation>
    </message>
    <message>
        <source>Version {number} of {count}, by {name}</source>
        <translation>Versão {number} de {count}, por {name}</translation>
    </message>
    <message>
        <source>Sent when the answer is complete:</source>
        <translation>Enviada quando a resposta estiver completa:</translation>
    </message>
    <message>
        <source>Not sent: the answer before was not completed. Send it now, or edit it.</source>
        <translation>Não enviada: a resposta anterior não foi concluída. Envie-a agora ou edite-a.</translation>
    </message>
    <message>
        <source>There is only one model yet: add another in Settings</source>
        <translation>Ainda só há um modelo: adicione outro em Configurações</translation>
    </message>
    <message>
        <source>Kept. The other answers stay as versions.</source>
        <translation>Mantida. As outras respostas ficam como versões.</translation>
    </message>
    <message>
        <source>Compare models</source>
        <translation>Comparar modelos</translation>
    </message>
    <message>
        <source>Search models</source>
        <translation>Buscar modelos</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>Comparar</translation>
    </message>
    <message>
        <source>Your questions in this thread go to {fewest} to {most} models at once, and each model costs what it costs alone. You keep the answer you like.</source>
        <translation>Suas perguntas nesta conversa vão para {fewest} a {most} modelos de uma vez, e cada modelo custa o que custa sozinho. Você mantém a resposta de que gostar.</translation>
    </message>
    <message>
        <source>All passages of the project&apos;s files, and later what changes in them and each question, go to {provider}.</source>
        <translation>Todos os trechos dos arquivos do projeto, e depois o que mudar neles e cada pergunta, vão para {provider}.</translation>
    </message>
    <message>
        <source>It is a server on this computer.</source>
        <translation>É um servidor neste computador.</translation>
    </message>
    <message>
        <source>They leave this computer.</source>
        <translation>Eles saem deste computador.</translation>
    </message>
    <message>
        <source>Now that is {texts}, about {tokens} tokens, in {requests}.</source>
        <translation>Agora são {texts}, cerca de {tokens} tokens, em {requests}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} passages</source>
        <comment>{count} passage</comment>
        <translation>
            <numerusform>{count} trecho</numerusform>
            <numerusform>{count} trechos</numerusform>
        </translation>
    </message>
    <message>
        <source>The price of {model} is not known.</source>
        <translation>O preço de {model} não é conhecido.</translation>
    </message>
    <message>
        <source>That costs about ${dollars}.</source>
        <translation>Isto custa cerca de ${dollars}.</translation>
    </message>
    <message>
        <source>the vectors that come with ChatDesk</source>
        <translation>os vetores que vêm com o ChatDesk</translation>
    </message>
    <message>
        <source>Found by meaning with {name}.</source>
        <translation>Busca por significado: {name}.</translation>
    </message>
    <message>
        <source>{done} of {total} passages have vectors of {name}, which answers once all have.</source>
        <translation>{done} de {total} trechos têm vetores de {name}, que responde quando todos tiverem.</translation>
    </message>
    <message numerus="yes">
        <source>{count} passages wait for it.</source>
        <comment>{count} passage waits for it.</comment>
        <translation>
            <numerusform>{count} trecho espera por isso.</numerusform>
            <numerusform>{count} trechos esperam por isso.</numerusform>
        </translation>
    </message>
    <message>
        <source>The last question was compared by the vectors that come with ChatDesk: {reason}</source>
        <translation>A última pergunta foi comparada com os vetores que vêm com o ChatDesk: {reason}</translation>
    </message>
    <message>
        <source>{model} of {provider}</source>
        <translation>{model} de {provider}</translation>
    </message>
    <message>
        <source>An answer is ready</source>
        <translation>Uma resposta está pronta</translation>
    </message>
    <message>
        <source>An answer failed</source>
        <translation>Uma resposta falhou</translation>
    </message>
    <message>
        <source>{server_name} waits for your approval</source>
        <translation>{server_name} espera sua aprovação</translation>
    </message>
    <message>
        <source>ChatDesk cannot be started at login from here.</source>
        <translation>O ChatDesk não pode ser iniciado no login a partir daqui.</translation>
    </message>
    <message>
        <source>Add it to the programs that your system starts at login.</source>
        <translation>Adicione-o aos programas que seu sistema inicia no login.</translation>
    </message>
    <message>
        <source>The file for starting at login could not be changed: {strerror}.</source>
        <translation>O arquivo para iniciar no login não pôde ser alterado: {strerror}.</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>Abrir</translation>
    </message>
    <message>
        <source>They show the quick window in whatever program you are.</source>
        <translation>Elas mostram a janela rápida em qualquer programa em que você esteja.</translation>
    </message>
    <message>
        <source>The environment variable {name} decides this.</source>
        <translation>A variável de ambiente {name} decide isto.</translation>
    </message>
    <message>
        <source>Keys for a quick question</source>
        <translation>Teclas para uma pergunta rápida</translation>
    </message>
    <message>
        <source>Command: {command}</source>
        <translation>Comando: {command}</translation>
    </message>
    <message>
        <source>Copy the command</source>
        <translation>Copiar o comando</translation>
    </message>
    <message>
        <source>Asking the desktop for the keys. It may show you a question.</source>
        <translation>Pedindo as teclas à área de trabalho. Ela pode mostrar uma pergunta.</translation>
    </message>
    <message>
        <source>The desktop shows it at: {keys}.</source>
        <translation>A área de trabalho mostra em: {keys}.</translation>
    </message>
    <message>
        <source>The keys work.</source>
        <translation>As teclas funcionam.</translation>
    </message>
    <message>
        <source>The desktop did not give ChatDesk these keys. Try again, or bind this command to keys in your desktop&apos;s settings:</source>
        <translation>A área de trabalho não deu estas teclas ao ChatDesk. Tente novamente, ou associe este comando a teclas nas configurações da sua área de trabalho:</translation>
    </message>
    <message>
        <source>The desktop has no name for {keys}. Choose other keys, or bind this command in your desktop&apos;s settings:</source>
        <translation>A área de trabalho não tem nome para {keys}. Escolha outras teclas, ou associe este comando nas configurações da sua área de trabalho:</translation>
    </message>
    <message>
        <source>This desktop gives no keys to programs. Bind this command to keys in your desktop&apos;s settings:</source>
        <translation>Esta área de trabalho não dá teclas a programas. Associe este comando a teclas nas configurações da sua área de trabalho:</translation>
    </message>
    <message numerus="yes">
        <source>{count} answers being written</source>
        <comment>{count} answer being written</comment>
        <translation>
            <numerusform>{count} resposta sendo escrita</numerusform>
            <numerusform>{count} respostas sendo escritas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} unread messages</source>
        <comment>{count} unread message</comment>
        <translation>
            <numerusform>{count} mensagem não lida</numerusform>
            <numerusform>{count} mensagens não lidas</numerusform>
        </translation>
    </message>
    <message>
        <source>Open ChatDesk</source>
        <translation>Abrir o ChatDesk</translation>
    </message>
    <message>
        <source>Quit ChatDesk</source>
        <translation>Sair do ChatDesk</translation>
    </message>
    <message>
        <source>The summary is out of date and not sent. Make it again to have it sent.</source>
        <translation>O resumo está desatualizado e não é enviado. Faça-o de novo para que seja enviado.</translation>
    </message>
    <message>
        <source>summary out of date</source>
        <translation>resumo desatualizado</translation>
    </message>
    <message numerus="yes">
        <source>≈ {count} tokens</source>
        <comment>≈ {count} token</comment>
        <translation>
            <numerusform>≈ {count} token</numerusform>
            <numerusform>≈ {count} tokens</numerusform>
        </translation>
    </message>
    <message>
        <source>About {used} of {window} tokens are taken; {reserved} are kept for the answer.</source>
        <translation>Cerca de {used} de {window} tokens estão ocupados; {reserved} são reservados para a resposta.</translation>
    </message>
    <message>
        <source>{used} of {window} tokens are taken; {reserved} are kept for the answer.</source>
        <translation>{used} de {window} tokens estão ocupados; {reserved} são reservados para a resposta.</translation>
    </message>
    <message>
        <source>Your message alone does not fit: shorten it, attach it, or choose a larger model.</source>
        <translation>Só sua mensagem já não cabe: encurte-a, anexe-a ou escolha um modelo maior.</translation>
    </message>
    <message numerus="yes">
        <source>It is full: {count} older messages stay behind because of what you are writing.</source>
        <comment>It is full: {count} older message stays behind because of what you are writing.</comment>
        <translation>
            <numerusform>Está cheio: {count} mensagem mais antiga fica para trás por causa do que você está escrevendo.</numerusform>
            <numerusform>Está cheio: {count} mensagens mais antigas ficam para trás por causa do que você está escrevendo.</numerusform>
        </translation>
    </message>
    <message>
        <source>It is full: the oldest messages stay behind when you send.</source>
        <translation>Está cheio: as mensagens mais antigas ficam para trás quando você envia.</translation>
    </message>
    <message>
        <source>{free} tokens are free before older messages stay behind.</source>
        <translation>{free} tokens estão livres antes que mensagens mais antigas fiquem para trás.</translation>
    </message>
    <message>
        <source>The count is an estimate for this model.</source>
        <translation>A contagem é uma estimativa para este modelo.</translation>
    </message>
    <message>
        <source>Context</source>
        <translation>Contexto</translation>
    </message>
    <message>
        <source>Summary</source>
        <translation>Resumo</translation>
    </message>
    <message>
        <source>Usage</source>
        <translation>Uso</translation>
    </message>
    <message>
        <source>Tree</source>
        <translation>Árvore</translation>
    </message>
    <message>
        <source>Questions</source>
        <translation>Perguntas</translation>
    </message>
    <message>
        <source>Artifacts</source>
        <translation>Artefatos</translation>
    </message>
    <message>
        <source>Pinned: it goes with every question of this thread</source>
        <translation>Fixado: vai com cada pergunta desta conversa</translation>
    </message>
    <message>
        <source>Left out of this thread</source>
        <translation>Deixado de fora desta conversa</translation>
    </message>
    <message>
        <source>Sent where it fits the question</source>
        <translation>Enviado quando corresponde à pergunta</translation>
    </message>
    <message>
        <source>Hide the inspector</source>
        <translation>Ocultar o inspetor</translation>
    </message>
    <message>
        <source>Show the inspector</source>
        <translation>Mostrar o inspetor</translation>
    </message>
    <message>
        <source>Request copied</source>
        <translation>Solicitação copiada</translation>
    </message>
    <message>
        <source>The summary is being made in the background</source>
        <translation>O resumo está sendo feito em segundo plano</translation>
    </message>
    <message>
        <source>The older messages of this thread no longer fit.</source>
        <translation>As mensagens mais antigas desta conversa não cabem mais.</translation>
    </message>
    <message>
        <source>{taken} so far.</source>
        <translation>{taken} até agora.</translation>
    </message>
    <message>
        <source>No price is known for {model}.</source>
        <translation>Não se conhece preço para {model}.</translation>
    </message>
    <message>
        <source>Until then only the newest messages are sent.</source>
        <translation>Até lá, só as mensagens mais novas são enviadas.</translation>
    </message>
    <message numerus="yes">
        <source>Summarising the older messages: {requests} of about {count} requests, {spent}.</source>
        <comment>Summarising the older messages: {requests} of about {count} request, {spent}.</comment>
        <translation>
            <numerusform>Resumindo as mensagens mais antigas: {requests} de cerca de {count} solicitação, {spent}.</numerusform>
            <numerusform>Resumindo as mensagens mais antigas: {requests} de cerca de {count} solicitações, {spent}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Older messages summarised: {taken}</source>
        <translation>Mensagens mais antigas resumidas: {taken}</translation>
    </message>
    <message numerus="yes">
        <source>Summarising them with {model} takes about {count} requests and {tokens} tokens.</source>
        <comment>Summarising them with {model} takes about {count} request and {tokens} tokens.</comment>
        <translation>
            <numerusform>Resumi-las com {model} exige cerca de {count} solicitação e {tokens} tokens.</numerusform>
            <numerusform>Resumi-las com {model} exige cerca de {count} solicitações e {tokens} tokens.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Summarising them with {model} takes about {count} requests and {tokens} tokens, at no cost.</source>
        <comment>Summarising them with {model} takes about {count} request and {tokens} tokens, at no cost.</comment>
        <translation>
            <numerusform>Resumi-las com {model} exige cerca de {count} solicitação e {tokens} tokens, sem custo.</numerusform>
            <numerusform>Resumi-las com {model} exige cerca de {count} solicitações e {tokens} tokens, sem custo.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Summarising them with {model} takes about {count} requests and {tokens} tokens, about {cost}.</source>
        <comment>Summarising them with {model} takes about {count} request and {tokens} tokens, about {cost}.</comment>
        <translation>
            <numerusform>Resumi-las com {model} exige cerca de {count} solicitação e {tokens} tokens, cerca de {cost}.</numerusform>
            <numerusform>Resumi-las com {model} exige cerca de {count} solicitações e {tokens} tokens, cerca de {cost}.</numerusform>
        </translation>
    </message>
    <message>
        <source>the server&apos;s own model</source>
        <translation>o modelo do próprio servidor</translation>
    </message>
    <message numerus="yes">
        <source>{count} requests, {spent}</source>
        <comment>{count} request, {spent}</comment>
        <translation>
            <numerusform>{count} solicitação, {spent}</numerusform>
            <numerusform>{count} solicitações, {spent}</numerusform>
        </translation>
    </message>
    <message>
        <source>{tokens} tokens, {cost}</source>
        <translation>{tokens} tokens, {cost}</translation>
    </message>
    <message>
        <source>{tokens} tokens</source>
        <translation>{tokens} tokens</translation>
    </message>
    <message>
        <source>Summarise</source>
        <translation>Resumir</translation>
    </message>
    <message>
        <source>Not now</source>
        <translation>Agora não</translation>
    </message>
    <message>
        <source>Pinned into the context</source>
        <translation>Fixada no contexto</translation>
    </message>
    <message>
        <source>Excluded from the context</source>
        <translation>Excluída do contexto</translation>
    </message>
    <message>
        <source>Sent as it fits</source>
        <translation>Enviada conforme couber</translation>
    </message>
    <message>
        <source>The context starts here</source>
        <translation>O contexto começa aqui</translation>
    </message>
    <message>
        <source>The context starts at the beginning</source>
        <translation>O contexto começa no início</translation>
    </message>
    <message>
        <source>Pinned</source>
        <translation>Fixadas</translation>
    </message>
    <message>
        <source>No longer pinned</source>
        <translation>Não está mais fixada</translation>
    </message>
    <message>
        <source>Archived</source>
        <translation>Arquivado</translation>
    </message>
    <message>
        <source>Out of the archive</source>
        <translation>Desarquivado</translation>
    </message>
    <message>
        <source>Moved to the trash</source>
        <translation>Movido para a lixeira</translation>
    </message>
    <message>
        <source>Restored</source>
        <translation>Restaurado</translation>
    </message>
    <message>
        <source>Moved to {name}</source>
        <translation>Movido para {name}</translation>
    </message>
    <message>
        <source>Tags changed</source>
        <translation>Etiquetas alteradas</translation>
    </message>
    <message>
        <source>1 thread</source>
        <translation>1 conversa</translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads for good?</source>
        <comment>Delete this thread for good?</comment>
        <translation>
            <numerusform>Excluir esta conversa definitivamente?</numerusform>
            <numerusform>Excluir {count} conversas definitivamente?</numerusform>
        </translation>
    </message>
    <message>
        <source>{title}: all messages are removed. This cannot be undone.</source>
        <translation>{title}: todas as mensagens são removidas. Isto não pode ser desfeito.</translation>
    </message>
    <message>
        <source>Delete for good</source>
        <translation>Excluir definitivamente</translation>
    </message>
    <message>
        <source>The trash is empty.</source>
        <translation>A lixeira está vazia.</translation>
    </message>
    <message>
        <source>Empty the trash?</source>
        <translation>Esvaziar a lixeira?</translation>
    </message>
    <message>
        <source>Empty the trash</source>
        <translation>Esvaziar a lixeira</translation>
    </message>
    <message>
        <source>delete for good</source>
        <translation>excluir definitivamente</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads are gone.</source>
        <comment>{count} thread is gone.</comment>
        <translation>
            <numerusform>{count} conversa se foi.</numerusform>
            <numerusform>{count} conversas se foram.</numerusform>
        </translation>
    </message>
    <message>
        <source>rename tag</source>
        <translation>renomear etiqueta</translation>
    </message>
    <message>
        <source>The tag is called {name} now</source>
        <translation>A etiqueta se chama {name} agora</translation>
    </message>
    <message>
        <source>The tag was deleted; its threads stay</source>
        <translation>A etiqueta foi excluída; suas conversas ficam</translation>
    </message>
    <message numerus="yes">
        <source>Pin {count} threads</source>
        <comment>Pin thread</comment>
        <translation>
            <numerusform>Fixar conversa</numerusform>
            <numerusform>Fixar {count} conversas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Unpin {count} threads</source>
        <comment>Unpin thread</comment>
        <translation>
            <numerusform>Desafixar conversa</numerusform>
            <numerusform>Desafixar {count} conversas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Archive {count} threads</source>
        <comment>Archive thread</comment>
        <translation>
            <numerusform>Arquivar conversa</numerusform>
            <numerusform>Arquivar {count} conversas</numerusform>
        </translation>
    </message>
    <message>
        <source>Take out of the archive</source>
        <translation>Desarquivar</translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads for good…</source>
        <comment>Delete thread for good…</comment>
        <translation>
            <numerusform>Excluir conversa definitivamente…</numerusform>
            <numerusform>Excluir {count} conversas definitivamente…</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads</source>
        <comment>Delete thread</comment>
        <translation>
            <numerusform>Excluir conversa</numerusform>
            <numerusform>Excluir {count} conversas</numerusform>
        </translation>
    </message>
    <message>
        <source>Sort threads by last activity</source>
        <translation>Ordenar conversas por última atividade</translation>
    </message>
    <message>
        <source>Sort threads by name</source>
        <translation>Ordenar conversas por nome</translation>
    </message>
    <message>
        <source>Group threads by date</source>
        <translation>Agrupar conversas por data</translation>
    </message>
    <message>
        <source>Group threads by project</source>
        <translation>Agrupar conversas por projeto</translation>
    </message>
    <message>
        <source>Sorted by name</source>
        <translation>Ordenado por nome</translation>
    </message>
    <message>
        <source>Sorted by last activity</source>
        <translation>Ordenado por última atividade</translation>
    </message>
    <message>
        <source>Grouped by project</source>
        <translation>Agrupado por projeto</translation>
    </message>
    <message>
        <source>Grouped by date</source>
        <translation>Agrupado por data</translation>
    </message>
    <message>
        <source>Move to a project</source>
        <translation>Mover para um projeto</translation>
    </message>
    <message>
        <source>Move to a project: {what}</source>
        <translation>Mover para um projeto: {what}</translation>
    </message>
    <message>
        <source>Teal</source>
        <translation>Verde-azulado</translation>
    </message>
    <message>
        <source>Blue</source>
        <translation>Azul</translation>
    </message>
    <message>
        <source>Indigo</source>
        <translation>Índigo</translation>
    </message>
    <message>
        <source>Purple</source>
        <translation>Roxo</translation>
    </message>
    <message>
        <source>Magenta</source>
        <translation>Magenta</translation>
    </message>
    <message>
        <source>Red</source>
        <translation>Vermelho</translation>
    </message>
    <message>
        <source>Orange</source>
        <translation>Laranja</translation>
    </message>
    <message>
        <source>Olive</source>
        <translation>Oliva</translation>
    </message>
    <message>
        <source>Green</source>
        <translation>Verde</translation>
    </message>
    <message>
        <source>Slate</source>
        <translation>Ardósia</translation>
    </message>
    <message>
        <source>The current colour</source>
        <translation>A cor atual</translation>
    </message>
    <message>
        <source>New project</source>
        <translation>Novo projeto</translation>
    </message>
    <message>
        <source>Edit project</source>
        <translation>Editar projeto</translation>
    </message>
    <message>
        <source>Name of the project</source>
        <translation>Nome do projeto</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>Nome</translation>
    </message>
    <message>
        <source>Colour</source>
        <translation>Cor</translation>
    </message>
    <message>
        <source>New threads begin with</source>
        <translation>Novas conversas começam com</translation>
    </message>
    <message>
        <source>Folder of the project</source>
        <translation>Pasta do projeto</translation>
    </message>
    <message>
        <source>Folder on this computer, for tools (optional)</source>
        <translation>Pasta neste computador, para ferramentas (opcional)</translation>
    </message>
    <message>
        <source>Create</source>
        <translation>Criar</translation>
    </message>
    <message>
        <source>Instructions</source>
        <translation>Instruções</translation>
    </message>
    <message>
        <source>For example: answer as an editor would, in British English.</source>
        <translation>Por exemplo: responda como um editor, em português do Brasil.</translation>
    </message>
    <message>
        <source>Instructions for its threads (optional)</source>
        <translation>Instruções para suas conversas (opcional)</translation>
    </message>
    <message>
        <source>Model that new threads begin with</source>
        <translation>Modelo com que novas conversas começam</translation>
    </message>
    <message>
        <source>The model chosen in the settings</source>
        <translation>O modelo escolhido nas configurações</translation>
    </message>
    <message>
        <source>Archive</source>
        <translation>Arquivadas</translation>
    </message>
    <message>
        <source>Move out of the archive</source>
        <translation>Desarquivar</translation>
    </message>
    <message>
        <source>Archive</source>
        <comment>verb</comment>
        <translation>Arquivar</translation>
    </message>
    <message>
        <source>Delete…</source>
        <translation>Excluir…</translation>
    </message>
    <message>
        <source>All projects</source>
        <translation>Todos os projetos</translation>
    </message>
    <message>
        <source>Edit {name}…</source>
        <translation>Editar {name}…</translation>
    </message>
    <message>
        <source>Sharing of {name}…</source>
        <translation>Compartilhamento de {name}…</translation>
    </message>
    <message>
        <source>Share {name}…</source>
        <translation>Compartilhar {name}…</translation>
    </message>
    <message>
        <source>In the trash</source>
        <translation>Na lixeira</translation>
    </message>
    <message>
        <source>add project</source>
        <translation>adicionar projeto</translation>
    </message>
    <message>
        <source>change project</source>
        <translation>alterar projeto</translation>
    </message>
    <message>
        <source>The project was changed</source>
        <translation>O projeto foi alterado</translation>
    </message>
    <message>
        <source>archive project</source>
        <translation>arquivar projeto</translation>
    </message>
    <message>
        <source>unarchive project</source>
        <translation>desarquivar projeto</translation>
    </message>
    <message>
        <source>Archived: {name}</source>
        <translation>Arquivado: {name}</translation>
    </message>
    <message>
        <source>Out of the archive: {name}</source>
        <translation>Desarquivado: {name}</translation>
    </message>
    <message>
        <source>Delete the project “{name}”?</source>
        <translation>Excluir o projeto “{name}”?</translation>
    </message>
    <message>
        <source>Move to trash</source>
        <translation>Mover para a lixeira</translation>
    </message>
    <message>
        <source>Moved to the trash: {name}</source>
        <translation>Movido para a lixeira: {name}</translation>
    </message>
    <message>
        <source>The project was restored</source>
        <translation>O projeto foi restaurado</translation>
    </message>
    <message>
        <source>Take project out of the archive</source>
        <translation>Desarquivar projeto</translation>
    </message>
    <message>
        <source>Archive project</source>
        <translation>Arquivar projeto</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads go to the trash with it ({archived} archived).</source>
        <comment>{count} thread goes to the trash with it ({archived} archived).</comment>
        <translation>
            <numerusform>{count} conversa vai para a lixeira com ele ({archived} arquivadas).</numerusform>
            <numerusform>{count} conversas vão para a lixeira com ele ({archived} arquivadas).</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads go to the trash with it.</source>
        <comment>{count} thread goes to the trash with it.</comment>
        <translation>
            <numerusform>{count} conversa vai para a lixeira com ele.</numerusform>
            <numerusform>{count} conversas vão para a lixeira com ele.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>All of it can be restored for {count} days.</source>
        <comment>All of it can be restored for {count} day.</comment>
        <translation>
            <numerusform>Tudo pode ser restaurado por {count} dia.</numerusform>
            <numerusform>Tudo pode ser restaurado por {count} dias.</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} ({number}, made {day})</source>
        <translation>{name} ({number}, criado em {day})</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads of all projects, with all messages, will be removed. This cannot be undone.</source>
        <comment>{count} thread of all projects, with all messages, will be removed. This cannot be undone.</comment>
        <translation>
            <numerusform>{count} conversa de todos os projetos, com todas as mensagens, será removida. Isto não pode ser desfeito.</numerusform>
            <numerusform>{count} conversas de todos os projetos, com todas as mensagens, serão removidas. Isto não pode ser desfeito.</numerusform>
        </translation>
    </message>
    <message>
        <source>In shared projects it erases for everyone what you wrote, or all of it where you are an owner or admin. The rest is hidden on this computer only.</source>
        <translation>Em projetos compartilhados, apaga para todos o que você escreveu, ou tudo onde você é proprietário ou administrador. O resto só é ocultado neste computador.</translation>
    </message>
    <message>
        <source>Tags: {what}</source>
        <translation>Etiquetas: {what}</translation>
    </message>
    <message>
        <source>New tag</source>
        <translation>Nova etiqueta</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>Renomear</translation>
    </message>
    <message>
        <source>There are no tags yet. Put one on a thread with “Tags…” in its menu.</source>
        <translation>Ainda não há etiquetas. Ponha uma em uma conversa com “Etiquetas…” no menu dela.</translation>
    </message>
    <message>
        <source>Close the open dialog first, then open the link again. Nothing was changed.</source>
        <translation>Feche antes o diálogo aberto e abra o link de novo. Nada foi alterado.</translation>
    </message>
    <message>
        <source>The message of the link is not shown in this thread: it was deleted, or is in another version.</source>
        <translation>A mensagem do link não é mostrada nesta conversa: foi excluída ou está em outra versão.</translation>
    </message>
    <message>
        <source>The thread of this link is not on this computer.</source>
        <translation>A conversa deste link não está neste computador.</translation>
    </message>
    <message>
        <source>If it belongs to a project that is shared with you, wait until it is synced, then open the link again.</source>
        <translation>Se pertence a um projeto compartilhado com você, espere até que seja sincronizado e abra o link de novo.</translation>
    </message>
    <message>
        <source>A temporary chat has no link, because nothing of it is stored.</source>
        <translation>Um chat temporário não tem link, porque nada dele é guardado.</translation>
    </message>
    <message>
        <source>Link copied. It opens the thread on your computers that have it.</source>
        <translation>Link copiado. Ele abre a conversa nos seus computadores que a têm.</translation>
    </message>
    <message>
        <source>Revoke the token “{name}”?</source>
        <translation>Revogar o token “{name}”?</translation>
    </message>
    <message>
        <source>Programs that use it are refused from now on, and what they are doing ends. This cannot be undone.</source>
        <translation>Os programas que o usam são recusados de agora em diante, e o que estão fazendo termina. Isto não pode ser desfeito.</translation>
    </message>
    <message>
        <source>Revoke</source>
        <translation>Revogar</translation>
    </message>
    <message>
        <source>Editors, scripts and browsers of this computer read, write and ask over HTTP, with a token of yours.</source>
        <translation>Editores, scripts e navegadores deste computador leem, escrevem e perguntam por HTTP, com um token seu.</translation>
    </message>
    <message>
        <source>Turn the service on to make tokens and to see the existing ones.</source>
        <translation>Ligue o serviço para criar tokens e ver os que existem.</translation>
    </message>
    <message>
        <source>There are no tokens. Each program gets one of its own.</source>
        <translation>Não há tokens. Cada programa recebe o seu.</translation>
    </message>
    <message>
        <source>The environment variable {fixed_by} decides this.</source>
        <translation>A variável de ambiente {fixed_by} decide isto.</translation>
    </message>
    <message>
        <source>Copy address</source>
        <translation>Copiar endereço</translation>
    </message>
    <message>
        <source>New token…</source>
        <translation>Novo token…</translation>
    </message>
    <message>
        <source>On, at {address}</source>
        <translation>Ligado, em {address}</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>Iniciando…</translation>
    </message>
    <message>
        <source>Tokens</source>
        <comment>access</comment>
        <translation>Tokens de acesso</translation>
    </message>
    <message>
        <source>Tokens</source>
        <translation>Tokens</translation>
    </message>
    <message>
        <source>The address is in the clipboard.</source>
        <translation>O endereço está na área de transferência.</translation>
    </message>
    <message>
        <source>Revoke…</source>
        <translation>Revogar…</translation>
    </message>
    <message>
        <source>Revoke {name}</source>
        <translation>Revogar {name}</translation>
    </message>
    <message>
        <source>a project in the trash</source>
        <translation>um projeto na lixeira</translation>
    </message>
    <message>
        <source>all projects</source>
        <translation>todos os projetos</translation>
    </message>
    <message>
        <source>until {moment}</source>
        <translation>até {moment}</translation>
    </message>
    <message>
        <source>last used {moment}</source>
        <translation>último uso {moment}</translation>
    </message>
    <message>
        <source>30 days</source>
        <translation>30 dias</translation>
    </message>
    <message>
        <source>90 days</source>
        <translation>90 dias</translation>
    </message>
    <message>
        <source>A year</source>
        <translation>Um ano</translation>
    </message>
    <message>
        <source>Until it is revoked</source>
        <translation>Até ser revogado</translation>
    </message>
    <message>
        <source>New token</source>
        <translation>Novo token</translation>
    </message>
    <message>
        <source>What will use it</source>
        <translation>O que vai usá-lo</translation>
    </message>
    <message>
        <source>For example: editor</source>
        <translation>Por exemplo: editor</translation>
    </message>
    <message>
        <source>Valid for</source>
        <translation>Válido por</translation>
    </message>
    <message>
        <source>The token</source>
        <translation>O token</translation>
    </message>
    <message>
        <source>Copy the token</source>
        <translation>Copiar o token</translation>
    </message>
    <message>
        <source>Make token</source>
        <translation>Criar token</translation>
    </message>
    <message>
        <source>In these projects only</source>
        <translation>Só nestes projetos</translation>
    </message>
    <message>
        <source>None chosen: in all of them.</source>
        <translation>Nenhum escolhido: em todos.</translation>
    </message>
    <message>
        <source>This is the token for “{name}”. It is shown only now and stored nowhere: copy it to where it is used.</source>
        <translation>Este é o token para “{name}”. Ele só é mostrado agora e não é guardado em lugar nenhum: copie-o para onde for usado.</translation>
    </message>
    <message>
        <source>It may</source>
        <translation>Ele pode</translation>
    </message>
    <message>
        <source>Say what will use it.</source>
        <translation>Diga o que vai usá-lo.</translation>
    </message>
    <message>
        <source>Choose what it may do.</source>
        <translation>Escolha o que ele pode fazer.</translation>
    </message>
    <message>
        <source>Making the token…</source>
        <translation>Criando o token…</translation>
    </message>
    <message>
        <source>The token is in the clipboard.</source>
        <translation>O token está na área de transferência.</translation>
    </message>
    <message>
        <source>Text size {percent}%</source>
        <translation>Tamanho do texto: {percent}%</translation>
    </message>
    <message>
        <source>Assistant</source>
        <translation>Assistente</translation>
    </message>
    <message>
        <source>Assistant: {name}</source>
        <translation>Assistente: {name}</translation>
    </message>
    <message>
        <source>No assistant</source>
        <translation>Nenhum assistente</translation>
    </message>
    <message>
        <source>Edit assistants…</source>
        <translation>Editar assistentes…</translation>
    </message>
    <message>
        <source>choose assistant</source>
        <translation>escolher assistente</translation>
    </message>
    <message>
        <source>Assistants, files and resources</source>
        <translation>Assistentes, arquivos e recursos</translation>
    </message>
    <message>
        <source>Their instructions, models, tools and files</source>
        <translation>Suas instruções, modelos, ferramentas e arquivos</translation>
    </message>
    <message>
        <source>New assistant…</source>
        <translation>Novo assistente…</translation>
    </message>
    <message>
        <source>A prompt with a model, tools and files of its own, asked with @</source>
        <translation>Um prompt com modelo, ferramentas e arquivos próprios; pergunta-se com @</translation>
    </message>
    <message numerus="yes">
        <source>{count} names, arrows choose, Enter takes it, Esc closes.</source>
        <comment>{count} name, arrows choose, Enter takes it, Esc closes.</comment>
        <translation>
            <numerusform>{count} nome, setas escolhem, Enter o aceita, Esc fecha.</numerusform>
            <numerusform>{count} nomes, setas escolhem, Enter aceita, Esc fecha.</numerusform>
        </translation>
    </message>
    <message>
        <source>Files of the assistant</source>
        <translation>Arquivos do assistente</translation>
    </message>
    <message>
        <source>Sparkles</source>
        <translation>Brilhos</translation>
    </message>
    <message>
        <source>Brain</source>
        <translation>Cérebro</translation>
    </message>
    <message>
        <source>Light bulb</source>
        <translation>Lâmpada</translation>
    </message>
    <message>
        <source>Wand</source>
        <translation>Varinha</translation>
    </message>
    <message>
        <source>Pencil</source>
        <translation>Lápis</translation>
    </message>
    <message>
        <source>Code</source>
        <translation>Código</translation>
    </message>
    <message>
        <source>Terminal</source>
        <translation>Terminal</translation>
    </message>
    <message>
        <source>Magnifier</source>
        <translation>Lupa</translation>
    </message>
    <message>
        <source>Languages</source>
        <translation>Idiomas</translation>
    </message>
    <message>
        <source>Letter</source>
        <translation>Carta</translation>
    </message>
    <message>
        <source>Checklist</source>
        <translation>Lista de tarefas</translation>
    </message>
    <message>
        <source>Table</source>
        <translation>Tabela</translation>
    </message>
    <message>
        <source>Database</source>
        <translation>Banco de dados</translation>
    </message>
    <message>
        <source>Palette</source>
        <translation>Paleta</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>Imagem</translation>
    </message>
    <message>
        <source>Gauge</source>
        <translation>Medidor</translation>
    </message>
    <message>
        <source>Star</source>
        <translation>Estrela</translation>
    </message>
    <message>
        <source>Person</source>
        <translation>Pessoa</translation>
    </message>
    <message>
        <source>People</source>
        <translation>Pessoas</translation>
    </message>
    <message>
        <source>As in the thread</source>
        <translation>Como na conversa</translation>
    </message>
    <message>
        <source>Icon</source>
        <translation>Ícone</translation>
    </message>
    <message>
        <source>Model that answers</source>
        <translation>Modelo que responde</translation>
    </message>
    <message>
        <source>Find by meaning with</source>
        <translation>Buscar por significado com</translation>
    </message>
    <message>
        <source>The vectors that come with ChatDesk are made on this computer and know English best. A model for embeddings of a provider knows more languages, and gets the texts of the files.</source>
        <translation>Os vetores que vêm com o ChatDesk são calculados neste computador e conhecem melhor o inglês. O modelo de embeddings de um provedor conhece mais idiomas e recebe o texto dos arquivos.</translation>
    </message>
    <message>
        <source>Who makes the vectors</source>
        <translation>Quem calcula os vetores</translation>
    </message>
    <message>
        <source>ChatDesk, on this computer</source>
        <translation>ChatDesk, neste computador</translation>
    </message>
    <message>
        <source>Model for embeddings</source>
        <translation>Modelo de embeddings</translation>
    </message>
    <message>
        <source>Vectors by</source>
        <translation>Vetores de</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>Modelo</translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation>Parâmetros</translation>
    </message>
    <message numerus="yes">
        <source>{count} values set</source>
        <comment>{count} value set</comment>
        <translation>
            <numerusform>{count} valor definido</numerusform>
            <numerusform>{count} valores definidos</numerusform>
        </translation>
    </message>
    <message>
        <source>{provider}, not set up here</source>
        <translation>{provider}, não configurado aqui</translation>
    </message>
    <message>
        <source>No tools</source>
        <translation>Sem ferramentas</translation>
    </message>
    <message>
        <source>Add files…</source>
        <translation>Adicionar arquivos…</translation>
    </message>
    <message>
        <source>This computer has no keyring that could keep the key. Keep it in ChatDesk&apos;s encrypted file of keys instead; you enter its passphrase once after each start.</source>
        <translation>Este computador não tem um chaveiro para guardar a chave. Guarde-a no arquivo de chaves criptografado do ChatDesk; você digita a frase secreta dele uma vez após cada início.</translation>
    </message>
    <message>
        <source>Folder that something carries between your computers</source>
        <translation>Pasta que algo leva de um computador a outro</translation>
    </message>
    <message>
        <source>Browse…</source>
        <translation>Procurar…</translation>
    </message>
    <message>
        <source>Choose the folder</source>
        <translation>Escolher a pasta</translation>
    </message>
    <message>
        <source>Recovery phrase</source>
        <translation>Frase de recuperação</translation>
    </message>
    <message>
        <source>I have written it down, or saved it</source>
        <translation>Eu a anotei ou salvei</translation>
    </message>
    <message>
        <source>Copy the phrase</source>
        <translation>Copiar a frase</translation>
    </message>
    <message>
        <source>Save to print…</source>
        <translation>Salvar para imprimir…</translation>
    </message>
    <message>
        <source>Your other computers need this recovery phrase, and with it alone you get your chats back. Whoever has it and the folder can read everything. It is not shown again.</source>
        <translation>Seus outros computadores precisam desta frase de recuperação, e só com ela você recupera seus chats. Quem tiver a frase e a pasta pode ler tudo. Ela não será mostrada de novo.</translation>
    </message>
    <message>
        <source>Recovery phrase of ChatDesk for my computers: {phrase}</source>
        <translation>Frase de recuperação do ChatDesk para meus computadores: {phrase}</translation>
    </message>
    <message>
        <source>The phrase is in the clipboard.</source>
        <translation>A frase está na área de transferência.</translation>
    </message>
    <message>
        <source>Save the recovery phrase</source>
        <translation>Salvar a frase de recuperação</translation>
    </message>
    <message>
        <source>ChatDesk recovery phrase.txt</source>
        <translation>Frase de recuperação do ChatDesk.txt</translation>
    </message>
    <message>
        <source>Start with this computer</source>
        <translation>Começar com este computador</translation>
    </message>
    <message>
        <source>Check the folder</source>
        <translation>Verificar a pasta</translation>
    </message>
    <message>
        <source>Start</source>
        <translation>Começar</translation>
    </message>
    <message>
        <source>Writing into the folder…</source>
        <translation>Gravando na pasta…</translation>
    </message>
    <message>
        <source>Looking at the folder…</source>
        <translation>Verificando a pasta…</translation>
    </message>
    <message>
        <source>Join your computers</source>
        <translation>Entrar com seus computadores</translation>
    </message>
    <message>
        <source>Recovery phrase, as it was shown on the other computer</source>
        <translation>Frase de recuperação, como foi mostrada no outro computador</translation>
    </message>
    <message>
        <source>Look inside</source>
        <translation>Olhar dentro</translation>
    </message>
    <message>
        <source>Joining…</source>
        <translation>Entrando…</translation>
    </message>
    <message>
        <source>Looking into the folder…</source>
        <translation>Olhando a pasta…</translation>
    </message>
    <message>
        <source>Remove {name}</source>
        <translation>Remover {name}</translation>
    </message>
    <message>
        <source>{name} keeps, and can read, everything that it had. It gets nothing new, and what it writes from now on reaches none of your other computers. These need the new phrase below: choose Join again on each.</source>
        <translation>{name} mantém tudo o que tinha e pode lê-lo. Não recebe nada novo, e o que gravar a partir de agora não chega a nenhum dos seus outros computadores. Estes precisam da nova frase abaixo: escolha “Entrar de novo” em cada um.</translation>
    </message>
    <message>
        <source>Removing the computer…</source>
        <translation>Removendo o computador…</translation>
    </message>
    <message>
        <source>{title}: {detail}</source>
        <translation>{title}: {detail}</translation>
    </message>
    <message>
        <source>Still to fill in: {missing}.</source>
        <translation>Ainda a preencher: {missing}.</translation>
    </message>
    <message>
        <source>The prompt was not inserted: another thread is open now.</source>
        <translation>O prompt não foi inserido: outra conversa está aberta agora.</translation>
    </message>
    <message>
        <source>There is no text in the clipboard.</source>
        <translation>Não há texto na área de transferência.</translation>
    </message>
    <message>
        <source>Nothing is selected in the thread.</source>
        <translation>Nada está selecionado na conversa.</translation>
    </message>
    <message>
        <source>Message {name} — drop files here, / for prompts</source>
        <translation>Mensagem para {name} — solte arquivos aqui, / para prompts</translation>
    </message>
    <message>
        <source>Fill in: {prompt_name}</source>
        <translation>Preencher: {prompt_name}</translation>
    </message>
    <message>
        <source>Insert</source>
        <translation>Inserir</translation>
    </message>
    <message>
        <source>Template, for the composer</source>
        <translation>Modelo de texto, para o campo de mensagem</translation>
    </message>
    <message>
        <source>System prompt</source>
        <translation>Prompt do sistema</translation>
    </message>
    <message>
        <source>Quick action, below an answer</source>
        <translation>Ação rápida, abaixo de uma resposta</translation>
    </message>
    <message>
        <source>Assistant, with @</source>
        <translation>Assistente, com @</translation>
    </message>
    <message>
        <source>{{date}} {{time}} {{clipboard}} {{selection}} {{project}} {{model}} {{thread}} are filled in. Any other name, such as {{topic}}, {{topic:default}} or {{tone|formal|casual}}, is asked for.</source>
        <translation>{{date}} {{time}} {{clipboard}} {{selection}} {{project}} {{model}} {{thread}} são preenchidos. Qualquer outro nome, como {{topic}}, {{topic:default}} ou {{tone|formal|casual}}, é perguntado.</translation>
    </message>
    <message>
        <source>Choosing it below an answer, in its menu or in the search asks this about the answer. The variables of templates are filled in; where one is asked for, the text goes into the composer first.</source>
        <translation>Escolhê-la abaixo de uma resposta, no menu dela ou na busca pergunta isto sobre a resposta. As variáveis dos modelos de texto são preenchidas; onde uma é perguntada, o texto vai antes para o campo de mensagem.</translation>
    </message>
    <message>
        <source>{{date}} {{time}} {{project}} {{model}} are filled in each time it is sent.</source>
        <translation>{{date}} {{time}} {{project}} {{model}} são preenchidos a cada envio.</translation>
    </message>
    <message>
        <source>The text is its instructions, sent in place of the system prompt. Choose it below the message for a whole thread, or type @ for one question.</source>
        <translation>O texto são suas instruções, enviadas no lugar do prompt do sistema. Escolha-o abaixo da mensagem para uma conversa inteira, ou digite @ para uma pergunta.</translation>
    </message>
    <message>
        <source>Name of the prompt</source>
        <translation>Nome do prompt</translation>
    </message>
    <message>
        <source>Kind of prompt</source>
        <translation>Tipo de prompt</translation>
    </message>
    <message>
        <source>Text of the prompt</source>
        <translation>Texto do prompt</translation>
    </message>
    <message>
        <source>What the prompt says</source>
        <translation>O que o prompt diz</translation>
    </message>
    <message>
        <source>Prompts (*.json)</source>
        <translation>Prompts (*.json)</translation>
    </message>
    <message>
        <source>Something went wrong. Nothing was stored; the text is kept here.</source>
        <translation>Algo deu errado. Nada foi guardado; o texto está mantido aqui.</translation>
    </message>
    <message>
        <source>add prompt</source>
        <translation>adicionar prompt</translation>
    </message>
    <message>
        <source>delete prompt</source>
        <translation>excluir prompt</translation>
    </message>
    <message>
        <source>edit prompt</source>
        <translation>editar prompt</translation>
    </message>
    <message>
        <source>Import prompts</source>
        <translation>Importar prompts</translation>
    </message>
    <message>
        <source>Export prompts</source>
        <translation>Exportar prompts</translation>
    </message>
    <message>
        <source>import prompts</source>
        <translation>importar prompts</translation>
    </message>
    <message numerus="yes">
        <source>Added: {count} prompts. What was there already stays as it is.</source>
        <comment>Added: {count} prompt. What was there already stays as it is.</comment>
        <translation>
            <numerusform>Adicionado: {count} prompt. O que já existia fica como está.</numerusform>
            <numerusform>Adicionados: {count} prompts. O que já existia fica como está.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Exported: {count} prompts to {name}.</source>
        <comment>Exported: {count} prompt to {name}.</comment>
        <translation>
            <numerusform>Exportado: {count} prompt para {name}.</numerusform>
            <numerusform>Exportados: {count} prompts para {name}.</numerusform>
        </translation>
    </message>
    <message>
        <source>All prompts</source>
        <translation>Todos os prompts</translation>
    </message>
    <message>
        <source>Templates</source>
        <translation>Modelos de texto</translation>
    </message>
    <message>
        <source>System prompts</source>
        <translation>Prompts do sistema</translation>
    </message>
    <message>
        <source>Quick actions</source>
        <translation>Ações rápidas</translation>
    </message>
    <message>
        <source>Assistants</source>
        <translation>Assistentes</translation>
    </message>
    <message>
        <source>Deleted: {name}</source>
        <translation>Excluído: {name}</translation>
    </message>
    <message>
        <source>New</source>
        <translation>Novo</translation>
    </message>
    <message>
        <source>Undo deleting the prompt</source>
        <translation>Desfazer a exclusão do prompt</translation>
    </message>
    <message>
        <source>Duplicate</source>
        <translation>Duplicar</translation>
    </message>
    <message>
        <source>Revert</source>
        <translation>Reverter</translation>
    </message>
    <message numerus="yes">
        <source>{count} more: type part of a name.</source>
        <comment>{count} more: type part of a name.</comment>
        <translation>
            <numerusform>Mais {count}: digite parte de um nome.</numerusform>
            <numerusform>Mais {count}: digite parte de um nome.</numerusform>
        </translation>
    </message>
    <message>
        <source>Make your last answer shorter. Keep what matters most.</source>
        <translation>Torne sua última resposta mais curta. Mantenha o que mais importa.</translation>
    </message>
    <message>
        <source>Make your last answer longer. Go into more detail.</source>
        <translation>Torne sua última resposta mais longa. Entre em mais detalhes.</translation>
    </message>
    <message>
        <source>Asked below this answer. What came after it stays as another version.</source>
        <translation>Perguntado abaixo desta resposta. O que veio depois dela fica como outra versão.</translation>
    </message>
    <message>
        <source>Quick action: {name}</source>
        <translation>Ação rápida: {name}</translation>
    </message>
    <message>
        <source>Select something in the thread first.</source>
        <translation>Selecione algo na conversa antes.</translation>
    </message>
    <message>
        <source>From {name}</source>
        <translation>De {name}</translation>
    </message>
    <message>
        <source>{title}, from {name}</source>
        <translation>{title}, de {name}</translation>
    </message>
    <message>
        <source>Asking {server} for “{title}”…</source>
        <translation>Pedindo “{title}” a {server}…</translation>
    </message>
    <message>
        <source>{server} wrote this text. Read it before you send it.</source>
        <translation>{server} escreveu este texto. Leia-o antes de enviar.</translation>
    </message>
    <message>
        <source>“{title}” came while you were typing.</source>
        <translation>“{title}” chegou enquanto você digitava.</translation>
    </message>
    <message>
        <source>{label} (optional)</source>
        <translation>{label} (opcional)</translation>
    </message>
    <message>
        <source>System prompt of this thread</source>
        <translation>Prompt do sistema desta conversa</translation>
    </message>
    <message>
        <source>System prompt of the project</source>
        <translation>Prompt do sistema do projeto</translation>
    </message>
    <message>
        <source>Sent before the messages with every question. {{date}}, {{time}}, {{project}} and {{model}} are filled in each time.</source>
        <translation>Enviado antes das mensagens com cada pergunta. {{date}}, {{time}}, {{project}} e {{model}} são preenchidos a cada vez.</translation>
    </message>
    <message>
        <source>System prompts of the library</source>
        <translation>Prompts do sistema da biblioteca</translation>
    </message>
    <message>
        <source>From the library</source>
        <translation>Da biblioteca</translation>
    </message>
    <message>
        <source>Save to the library</source>
        <translation>Salvar na biblioteca</translation>
    </message>
    <message>
        <source>This thread</source>
        <translation>Esta conversa</translation>
    </message>
    <message>
        <source>Project {name}</source>
        <translation>Projeto {name}</translation>
    </message>
    <message>
        <source>Sent in every thread of the project that has none of its own.</source>
        <translation>Enviado em cada conversa do projeto que não tem o seu.</translation>
    </message>
    <message>
        <source>The project has none: in threads without their own, the default from the settings is sent.</source>
        <translation>O projeto não tem nenhum: em conversas sem o seu, o padrão das configurações é enviado.</translation>
    </message>
    <message>
        <source>The project has none: in threads without their own, no system prompt is sent.</source>
        <translation>O projeto não tem nenhum: em conversas sem o seu, nenhum prompt do sistema é enviado.</translation>
    </message>
    <message>
        <source>This thread&apos;s own system prompt is sent.</source>
        <translation>O prompt do sistema desta própria conversa é enviado.</translation>
    </message>
    <message>
        <source>This thread has none: the project&apos;s is sent.</source>
        <translation>Esta conversa não tem nenhum: o do projeto é enviado.</translation>
    </message>
    <message>
        <source>Neither thread nor project has one: the default from the settings is sent.</source>
        <translation>Nem a conversa nem o projeto tem um: o padrão das configurações é enviado.</translation>
    </message>
    <message>
        <source>Neither thread nor project has one: no system prompt is sent.</source>
        <translation>Nem a conversa nem o projeto tem um: nenhum prompt do sistema é enviado.</translation>
    </message>
    <message numerus="yes">
        <source>About {count} tokens of the {window} that the model can read go to it in every request.</source>
        <comment>About {count} token of the {window} that the model can read go to it in every request.</comment>
        <translation>
            <numerusform>Cerca de {count} token dos {window} que o modelo consegue ler vai para ele em cada solicitação.</numerusform>
            <numerusform>Cerca de {count} tokens dos {window} que o modelo consegue ler vão para ele em cada solicitação.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens of the {window} that the model can read go to it in every request.</source>
        <comment>{count} token of the {window} that the model can read go to it in every request.</comment>
        <translation>
            <numerusform>{count} token dos {window} que o modelo consegue ler vai para ele em cada solicitação.</numerusform>
            <numerusform>{count} tokens dos {window} que o modelo consegue ler vão para ele em cada solicitação.</numerusform>
        </translation>
    </message>
    <message>
        <source>Shorten it, or choose a model with a larger window.</source>
        <translation>Encurte-o ou escolha um modelo com uma janela maior.</translation>
    </message>
    <message numerus="yes">
        <source>About {count} tokens: it leaves no room for a message in the {window} that the model can read.</source>
        <comment>About {count} token: it leaves no room for a message in the {window} that the model can read.</comment>
        <translation>
            <numerusform>Cerca de {count} token: não deixa espaço para uma mensagem nos {window} que o modelo consegue ler.</numerusform>
            <numerusform>Cerca de {count} tokens: não deixa espaço para uma mensagem nos {window} que o modelo consegue ler.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens: it leaves no room for a message in the {window} that the model can read.</source>
        <comment>{count} token: it leaves no room for a message in the {window} that the model can read.</comment>
        <translation>
            <numerusform>{count} token: não deixa espaço para uma mensagem nos {window} que o modelo consegue ler.</numerusform>
            <numerusform>{count} tokens: não deixa espaço para uma mensagem nos {window} que o modelo consegue ler.</numerusform>
        </translation>
    </message>
    <message>
        <source>An imported system prompt is sent with your question.</source>
        <translation>Um prompt do sistema importado é enviado com sua pergunta.</translation>
    </message>
    <message>
        <source>{name} changed the system prompt; it is sent with your question.</source>
        <translation>{name} alterou o prompt do sistema; ele é enviado com sua pergunta.</translation>
    </message>
    <message>
        <source>A temporary chat has the instructions of its project.</source>
        <translation>Um chat temporário tem as instruções do seu projeto.</translation>
    </message>
    <message>
        <source>Saved to the library: {name}</source>
        <translation>Salvo na biblioteca: {name}</translation>
    </message>
    <message>
        <source>change system prompt</source>
        <translation>alterar prompt do sistema</translation>
    </message>
    <message>
        <source>The system prompt was changed</source>
        <translation>O prompt do sistema foi alterado</translation>
    </message>
    <message>
        <source>{what} Agree only if you made this change yourself and trust that server.</source>
        <translation>{what} Só consinta se você mesmo fez esta alteração e confia nesse servidor.</translation>
    </message>
    <message>
        <source>Your name for it</source>
        <translation>Seu nome para ele</translation>
    </message>
    <message>
        <source>Sees images</source>
        <translation>Vê imagens</translation>
    </message>
    <message>
        <source>$ in / 1M</source>
        <translation>$ entrada / 1M</translation>
    </message>
    <message>
        <source>$ out / 1M</source>
        <translation>$ saída / 1M</translation>
    </message>
    <message>
        <source>Offered when a model is chosen.</source>
        <translation>Oferecido quando se escolhe um modelo.</translation>
    </message>
    <message>
        <source>The id of the model at its server.</source>
        <translation>O id do modelo em seu servidor.</translation>
    </message>
    <message>
        <source>The name under which it is offered.</source>
        <translation>O nome com que é oferecido.</translation>
    </message>
    <message>
        <source>Whether images are sent to it. A dash means unknown.</source>
        <translation>Se imagens são enviadas a ele. Um traço significa desconhecido.</translation>
    </message>
    <message>
        <source>How many tokens it reads at once, such as 128k.</source>
        <translation>Quantos tokens ele lê de uma vez, como 128k.</translation>
    </message>
    <message>
        <source>US dollars for a million tokens that it reads.</source>
        <translation>Dólares americanos por um milhão de tokens que ele lê.</translation>
    </message>
    <message>
        <source>US dollars for a million tokens that it writes.</source>
        <translation>Dólares americanos por um milhão de tokens que ele escreve.</translation>
    </message>
    <message>
        <source>not known</source>
        <translation>não conhecido</translation>
    </message>
    <message>
        <source>yes</source>
        <translation>sim</translation>
    </message>
    <message>
        <source>no</source>
        <translation>não</translation>
    </message>
    <message>
        <source>Change the passphrase</source>
        <translation>Alterar a frase secreta</translation>
    </message>
    <message>
        <source>Keys are locked</source>
        <translation>As chaves estão bloqueadas</translation>
    </message>
    <message>
        <source>The current passphrase</source>
        <translation>A frase secreta atual</translation>
    </message>
    <message>
        <source>Passphrase</source>
        <translation>Frase secreta</translation>
    </message>
    <message>
        <source>The new passphrase again</source>
        <translation>A nova frase secreta de novo</translation>
    </message>
    <message>
        <source>The keys of your providers are in a file that a passphrase encrypts. You enter it once after each start.</source>
        <translation>As chaves dos seus provedores estão em um arquivo que uma frase secreta criptografa. Você a digita uma vez depois de cada início.</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>Alterar</translation>
    </message>
    <message>
        <source>The two new passphrases are not the same.</source>
        <translation>As duas novas frases secretas não são iguais.</translation>
    </message>
    <message>
        <source>Remove {label}?</source>
        <translation>Remover {label}?</translation>
    </message>
    <message>
        <source>Its key is forgotten. Threads keep their answers; a thread that used it asks for another model.</source>
        <translation>Sua chave é esquecida. As conversas mantêm suas respostas; uma conversa que o usava pede outro modelo.</translation>
    </message>
    <message>
        <source>{problem} Nothing was sent; see Settings, Providers.</source>
        <translation>{problem} Nada foi enviado; veja Configurações, Provedores.</translation>
    </message>
    <message>
        <source>Chat completions, which every server has</source>
        <translation>Chat completions, que todo servidor tem</translation>
    </message>
    <message>
        <source>Responses, where the server has it</source>
        <translation>Responses, onde o servidor tem</translation>
    </message>
    <message>
        <source>Anthropic&apos;s messages</source>
        <translation>Messages da Anthropic</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>Endereço</translation>
    </message>
    <message>
        <source>localhost:8080 or https://…</source>
        <translation>localhost:8080 ou https://…</translation>
    </message>
    <message>
        <source>Protocol</source>
        <translation>Protocolo</translation>
    </message>
    <message>
        <source>Use this provider</source>
        <translation>Usar este provedor</translation>
    </message>
    <message>
        <source>Set by the variable OPENAI_BASE_URL, so it cannot be changed here.</source>
        <translation>Definido pela variável OPENAI_BASE_URL, então não pode ser alterado aqui.</translation>
    </message>
    <message>
        <source>Enter the address of the server.</source>
        <translation>Digite o endereço do servidor.</translation>
    </message>
    <message>
        <source>Enter the name of your resource in the address.</source>
        <translation>Digite o nome do seu recurso no endereço.</translation>
    </message>
    <message>
        <source>Stop the test</source>
        <translation>Parar o teste</translation>
    </message>
    <message>
        <source>Test</source>
        <translation>Testar</translation>
    </message>
    <message>
        <source>API key</source>
        <translation>Chave de API</translation>
    </message>
    <message>
        <source>More settings</source>
        <translation>Mais configurações</translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation>Remover…</translation>
    </message>
    <message>
        <source>In the system keyring</source>
        <translation>No chaveiro do sistema</translation>
    </message>
    <message>
        <source>For this run only</source>
        <translation>Só para esta execução</translation>
    </message>
    <message>
        <source>In a file that a passphrase encrypts</source>
        <translation>Em um arquivo que uma frase secreta criptografa</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>Substituir</translation>
    </message>
    <message>
        <source>Replace the key</source>
        <translation>Substituir a chave</translation>
    </message>
    <message>
        <source>Forget</source>
        <translation>Esquecer</translation>
    </message>
    <message>
        <source>Forget the key</source>
        <translation>Esquecer a chave</translation>
    </message>
    <message>
        <source>Use it there…</source>
        <translation>Usá-la lá…</translation>
    </message>
    <message>
        <source>Use the kept key at this server</source>
        <translation>Usar a chave guardada neste servidor</translation>
    </message>
    <message>
        <source>Paste the key</source>
        <translation>Cole a chave</translation>
    </message>
    <message>
        <source>Get a key</source>
        <translation>Obter uma chave</translation>
    </message>
    <message>
        <source>Where the key is kept</source>
        <translation>Onde a chave é guardada</translation>
    </message>
    <message>
        <source>Passphrase of the file of keys</source>
        <translation>Frase secreta do arquivo de chaves</translation>
    </message>
    <message>
        <source>{place}; it has precedence over a stored key, so it cannot be changed here</source>
        <translation>{place}; prevalece sobre uma chave guardada, então não pode ser alterada aqui</translation>
    </message>
    <message>
        <source>The kept key is used at this server from now on.</source>
        <translation>A chave guardada é usada neste servidor de agora em diante.</translation>
    </message>
    <message>
        <source>Key, if the server asks for one</source>
        <translation>Chave, se o servidor pedir</translation>
    </message>
    <message>
        <source>The passphrase of the file</source>
        <translation>A frase secreta do arquivo</translation>
    </message>
    <message>
        <source>It is never written in plain text.</source>
        <translation>Nunca é gravada em texto simples.</translation>
    </message>
    <message>
        <source>{why}: choose where the key is kept.</source>
        <translation>{why}: escolha onde a chave é guardada.</translation>
    </message>
    <message>
        <source>Models of {label}</source>
        <translation>Modelos de {label}</translation>
    </message>
    <message>
        <source>Arrows move, Space ticks, F2 or typing changes a cell.</source>
        <translation>Setas movem, Espaço marca, F2 ou digitar altera uma célula.</translation>
    </message>
    <message>
        <source>Id of a model that is missing</source>
        <translation>Id de um modelo que falta</translation>
    </message>
    <message>
        <source>Fetch the list again</source>
        <translation>Buscar a lista de novo</translation>
    </message>
    <message>
        <source>The team does not see it</source>
        <translation>A equipe não vê</translation>
    </message>
    <message>
        <source>The team sees its name</source>
        <translation>A equipe vê o nome</translation>
    </message>
    <message>
        <source>The team gets its text</source>
        <translation>A equipe recebe o texto</translation>
    </message>
    <message>
        <source>Files of {project}</source>
        <translation>Arquivos de {project}</translation>
    </message>
    <message>
        <source>ChatDesk reads these on this computer, keeps them current, and sends the passages that fit a question with it. The answer names them.</source>
        <translation>O ChatDesk os lê neste computador, os mantém atualizados e envia com a pergunta os trechos que correspondem a ela. A resposta os cita.</translation>
    </message>
    <message>
        <source>Folders, files and pages</source>
        <translation>Pastas, arquivos e páginas</translation>
    </message>
    <message>
        <source>Folder, file or address to add</source>
        <translation>Pasta, arquivo ou endereço a adicionar</translation>
    </message>
    <message>
        <source>Path of a folder or file, or https://…</source>
        <translation>Caminho de uma pasta ou arquivo, ou https://…</translation>
    </message>
    <message>
        <source>Folder…</source>
        <translation>Pasta…</translation>
    </message>
    <message>
        <source>Add a folder</source>
        <translation>Adicionar uma pasta</translation>
    </message>
    <message>
        <source>File…</source>
        <translation>Arquivo…</translation>
    </message>
    <message>
        <source>Add a file</source>
        <translation>Adicionar um arquivo</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>Adicionar</translation>
    </message>
    <message>
        <source>Last here</source>
        <translation>Última vez aqui</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>Pendente</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>Tamanho</translation>
    </message>
    <message>
        <source>Computers</source>
        <translation>Computadores</translation>
    </message>
    <message>
        <source>Remove this computer…</source>
        <translation>Remover este computador…</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>Pausar</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>Retomar</translation>
    </message>
    <message>
        <source>Have the same chats on all computers of yours. A folder that something carries between them is enough: Syncthing, Nextcloud, Dropbox, a network drive or a USB stick. Everything is encrypted before it is written there.</source>
        <translation>Tenha os mesmos chats em todos os seus computadores. Basta uma pasta que algo leve de um a outro: Syncthing, Nextcloud, Dropbox, uma unidade de rede ou um pendrive. Tudo é criptografado antes de ser gravado nela.</translation>
    </message>
    <message>
        <source>Start…</source>
        <translation>Começar…</translation>
    </message>
    <message>
        <source>Join…</source>
        <translation>Entrar…</translation>
    </message>
    <message>
        <source>The first computer</source>
        <translation>O primeiro computador</translation>
    </message>
    <message>
        <source>Choose an empty folder. You get a recovery phrase, which your other computers need.</source>
        <translation>Escolha uma pasta vazia. Você recebe uma frase de recuperação, de que seus outros computadores precisam.</translation>
    </message>
    <message>
        <source>A further computer, or a new one</source>
        <translation>Mais um computador, ou um novo</translation>
    </message>
    <message>
        <source>Choose the same folder and give the phrase. You see whose it is before anything is merged.</source>
        <translation>Escolha a mesma pasta e informe a frase. Você vê de quem ela é antes que algo seja mesclado.</translation>
    </message>
    <message>
        <source>Join again…</source>
        <translation>Entrar de novo…</translation>
    </message>
    <message>
        <source>Forget the folder…</source>
        <translation>Esquecer a pasta…</translation>
    </message>
    <message>
        <source>older than before</source>
        <translation>mais antigo que antes</translation>
    </message>
    <message>
        <source>older files</source>
        <translation>arquivos mais antigos</translation>
    </message>
    <message>
        <source>Read again</source>
        <translation>Ler de novo</translation>
    </message>
    <message>
        <source>Left out…</source>
        <translation>Exclusões…</translation>
    </message>
    <message>
        <source>Choose what of the folder is left out</source>
        <translation>Escolher o que da pasta fica de fora</translation>
    </message>
    <message>
        <source>Secrets…</source>
        <translation>Segredos…</translation>
    </message>
    <message>
        <source>Choose which files that look like secrets are read</source>
        <translation>Escolher quais arquivos que parecem segredos são lidos</translation>
    </message>
    <message>
        <source>What the team gets</source>
        <translation>O que a equipe recebe</translation>
    </message>
    <message>
        <source>With the text, members&apos; computers get all passages. Where a member chose a provider&apos;s model for the vectors, it gets them, too.</source>
        <translation>Com o texto, os computadores dos membros recebem todos os trechos. Se um membro escolheu o modelo de um provedor para os vetores, ele também os recebe.</translation>
    </message>
    <message>
        <source>Change…</source>
        <translation>Alterar…</translation>
    </message>
    <message>
        <source>Change what makes the vectors</source>
        <translation>Alterar o que calcula os vetores</translation>
    </message>
    <message>
        <source>Who gets them…</source>
        <translation>Quem os recebe…</translation>
    </message>
    <message>
        <source>Choose which providers get the files</source>
        <translation>Escolher quais provedores recebem os arquivos</translation>
    </message>
    <message>
        <source>Try a question</source>
        <translation>Testar uma pergunta</translation>
    </message>
    <message>
        <source>Try a question: what would be found?</source>
        <translation>Testar uma pergunta: o que seria encontrado?</translation>
    </message>
    <message>
        <source>What would be found</source>
        <translation>O que seria encontrado</translation>
    </message>
    <message>
        <source>Kept questions…</source>
        <translation>Perguntas guardadas…</translation>
    </message>
    <message>
        <source>Keep questions and run them again</source>
        <translation>Guardar perguntas e executá-las de novo</translation>
    </message>
    <message numerus="yes">
        <source>and {count} more</source>
        <comment>and {count} more</comment>
        <translation>
            <numerusform>e mais {count}</numerusform>
            <numerusform>e mais {count}</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} passages found</source>
        <comment>{count} passage found</comment>
        <translation>
            <numerusform>{count} trecho encontrado</numerusform>
            <numerusform>{count} trechos encontrados</numerusform>
        </translation>
    </message>
    <message>
        <source>Go on reading</source>
        <translation>Continuar a leitura</translation>
    </message>
    <message>
        <source>shared by the team</source>
        <translation>compartilhado pela equipe</translation>
    </message>
    <message>
        <source>being listed</source>
        <translation>preparando a lista</translation>
    </message>
    <message>
        <source>last read {when}</source>
        <translation>última leitura: {when}</translation>
    </message>
    <message>
        <source>Add the model</source>
        <translation>Adicionar o modelo</translation>
    </message>
    <message>
        <source>What you type comes before what the server says. Prices are used for costs and limits.</source>
        <translation>O que você digita vem antes do que o servidor diz. Os preços são usados para custos e limites.</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>Como o sistema</translation>
    </message>
    <message>
        <source>Connection</source>
        <translation>Conexão</translation>
    </message>
    <message>
        <source>First word</source>
        <translation>Primeira palavra</translation>
    </message>
    <message>
        <source>Silence</source>
        <translation>Silêncio</translation>
    </message>
    <message>
        <source>Model for new threads</source>
        <translation>Modelo para novas conversas</translation>
    </message>
    <message>
        <source>Only those of the system</source>
        <translation>Só os do sistema</translation>
    </message>
    <message>
        <source>The usual time</source>
        <translation>O tempo usual</translation>
    </message>
    <message>
        <source>Organisation</source>
        <translation>Organização</translation>
    </message>
    <message>
        <source>Proxy</source>
        <translation>Proxy</translation>
    </message>
    <message>
        <source>As the system, none, or an address such as http://proxy.example:3128</source>
        <translation>Como o sistema, nenhum ou um endereço como http://proxy.example:3128</translation>
    </message>
    <message>
        <source>File of certificates</source>
        <translation>Arquivo de certificados</translation>
    </message>
    <message>
        <source>Choose a file of certificates</source>
        <translation>Escolher um arquivo de certificados</translation>
    </message>
    <message>
        <source>Headers, one a line as Name: value</source>
        <translation>Cabeçalhos, um por linha como Name: value</translation>
    </message>
    <message>
        <source>{what}, seconds</source>
        <translation>{what}, segundos</translation>
    </message>
    <message>
        <source>Certificates to trust in addition to the system&apos;s</source>
        <translation>Certificados em que confiar além dos do sistema</translation>
    </message>
    <message>
        <source>Headers; values that are keys are stored with your keys</source>
        <translation>Cabeçalhos; valores que são chaves são guardados com suas chaves</translation>
    </message>
    <message>
        <source>Seconds to wait for</source>
        <translation>Segundos a esperar por</translation>
    </message>
    <message>
        <source>Certificates (*.pem *.crt *.cer);;All files (*)</source>
        <translation>Certificados (*.pem *.crt *.cer);;Todos os arquivos (*)</translation>
    </message>
    <message>
        <source>{what} must be a number of seconds.</source>
        <translation>{what} deve ser um número de segundos.</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>Parada</translation>
    </message>
    <message>
        <source>The picture that is sent with the question</source>
        <translation>A imagem que é enviada com a pergunta</translation>
    </message>
    <message>
        <source>Clipboard</source>
        <translation>Área de transferência</translation>
    </message>
    <message>
        <source>Selection</source>
        <translation>Seleção</translation>
    </message>
    <message>
        <source>Screenshot</source>
        <translation>Captura de tela</translation>
    </message>
    <message>
        <source>There is no text on the clipboard.</source>
        <translation>Não há texto na área de transferência.</translation>
    </message>
    <message>
        <source>No text is selected in another window.</source>
        <translation>Nenhum texto está selecionado em outra janela.</translation>
    </message>
    <message numerus="yes">
        <source>{name}, only the first {count} characters</source>
        <comment>{name}, only the first {count} character</comment>
        <translation>
            <numerusform>{name}, só o primeiro {count} caractere</numerusform>
            <numerusform>{name}, só os primeiros {count} caracteres</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}, {count} characters</source>
        <comment>{name}, {count} character</comment>
        <translation>
            <numerusform>{name}, {count} caractere</numerusform>
            <numerusform>{name}, {count} caracteres</numerusform>
        </translation>
    </message>
    <message>
        <source>Ask anything</source>
        <translation>Pergunte qualquer coisa</translation>
    </message>
    <message>
        <source>Add the clipboard</source>
        <translation>Adicionar a área de transferência</translation>
    </message>
    <message>
        <source>Add the selection</source>
        <translation>Adicionar a seleção</translation>
    </message>
    <message>
        <source>Add a screenshot</source>
        <translation>Adicionar uma captura de tela</translation>
    </message>
    <message>
        <source>New</source>
        <comment>question</comment>
        <translation>Nova</translation>
    </message>
    <message>
        <source>Open in ChatDesk</source>
        <translation>Abrir no ChatDesk</translation>
    </message>
    <message>
        <source>{words}: leave it out</source>
        <translation>{words}: deixar de fora</translation>
    </message>
    <message>
        <source>Choose a part of the screen</source>
        <translation>Escolha uma parte da tela</translation>
    </message>
    <message>
        <source>Drag over a part, or press Enter for what is framed. Arrows move the frame, Shift+arrows change its size, Alt makes small steps, Esc leaves.</source>
        <translation>Arraste sobre uma parte, ou pressione Enter para o que está enquadrado. Setas movem o quadro, Shift+setas mudam seu tamanho, Alt faz passos pequenos, Esc sai.</translation>
    </message>
    <message>
        <source>This desktop lets programs take no picture of the screen.</source>
        <translation>Esta área de trabalho não deixa programas capturarem a tela.</translation>
    </message>
    <message>
        <source>Nothing was taken.</source>
        <translation>Nada foi capturado.</translation>
    </message>
    <message>
        <source>Take one with the desktop&apos;s own program, and paste it into a message in the large window.</source>
        <translation>Capture-a com o programa da própria área de trabalho e cole-a em uma mensagem na janela grande.</translation>
    </message>
    <message>
        <source>The desktop gave no file with the picture.</source>
        <translation>A área de trabalho não deu um arquivo com a imagem.</translation>
    </message>
    <message>
        <source>The picture of the screen is too large.</source>
        <translation>A imagem da tela é grande demais.</translation>
    </message>
    <message>
        <source>The desktop&apos;s picture of the screen cannot be read.</source>
        <translation>A imagem da tela dada pela área de trabalho não pode ser lida.</translation>
    </message>
    <message>
        <source>Making a backup…</source>
        <translation>Fazendo um backup…</translation>
    </message>
    <message>
        <source>Checking… This reads everything and can take a while.</source>
        <translation>Verificando… Isto lê tudo e pode demorar um pouco.</translation>
    </message>
    <message>
        <source>Checking and repairing…</source>
        <translation>Verificando e reparando…</translation>
    </message>
    <message>
        <source>Writing the zip…</source>
        <translation>Gravando o zip…</translation>
    </message>
    <message>
        <source>Checking the database</source>
        <translation>Verificando o banco de dados</translation>
    </message>
    <message>
        <source>Repairing the database</source>
        <translation>Reparando o banco de dados</translation>
    </message>
    <message>
        <source>Another window has this data directory open.</source>
        <translation>Outra janela tem este diretório de dados aberto.</translation>
    </message>
    <message>
        <source>The backup was made: {name}</source>
        <translation>O backup foi feito: {name}</translation>
    </message>
    <message>
        <source>Nothing is wrong.</source>
        <translation>Nada está errado.</translation>
    </message>
    <message>
        <source>Save everything as a zip</source>
        <translation>Salvar tudo como zip</translation>
    </message>
    <message>
        <source>Everything was saved to {name}.</source>
        <translation>Tudo foi salvo em {name}.</translation>
    </message>
    <message>
        <source>and {lost} more</source>
        <translation>e mais {lost}</translation>
    </message>
    <message numerus="yes">
        <source>All but {count} attachments were saved to {name}:</source>
        <comment>All but {count} attachment was saved to {name}:</comment>
        <translation>
            <numerusform>Tudo menos {count} anexo foi salvo em {name}:</numerusform>
            <numerusform>Tudo menos {count} anexos foi salvo em {name}:</numerusform>
        </translation>
    </message>
    <message>
        <source>Import and export</source>
        <translation>Importar e exportar</translation>
    </message>
    <message>
        <source>Take over chats from ChatGPT, Claude and others, or write yours as Markdown, web pages, PDF or JSON.</source>
        <translation>Traga chats do ChatGPT, do Claude e de outros, ou grave os seus como Markdown, páginas da web, PDF ou JSON.</translation>
    </message>
    <message>
        <source>Back up and restore</source>
        <translation>Fazer backup e restaurar</translation>
    </message>
    <message>
        <source>ChatDesk makes a backup each day and before each upgrade, and checks each one.</source>
        <translation>O ChatDesk faz um backup a cada dia e antes de cada atualização, e verifica cada um.</translation>
    </message>
    <message>
        <source>Save everything as a zip…</source>
        <translation>Salvar tudo como zip…</translation>
    </message>
    <message>
        <source>Show folder</source>
        <translation>Mostrar pasta</translation>
    </message>
    <message>
        <source>Restore…</source>
        <translation>Restaurar…</translation>
    </message>
    <message>
        <source>Check reads everything that is stored. Repair makes a copy first and says what it changed.</source>
        <translation>Verificar lê tudo o que está guardado. Reparar faz antes uma cópia e diz o que alterou.</translation>
    </message>
    <message>
        <source>Check</source>
        <translation>Verificar</translation>
    </message>
    <message>
        <source>Repair</source>
        <translation>Reparar</translation>
    </message>
    <message>
        <source>Something went wrong?</source>
        <translation>Algo deu errado?</translation>
    </message>
    <message>
        <source>Collects the log, the settings and failure reports, without your messages and keys.</source>
        <translation>Reúne o log, as configurações e os relatórios de falhas, sem suas mensagens e chaves.</translation>
    </message>
    <message>
        <source>Backups are in {folder}</source>
        <translation>Os backups estão em {folder}</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>Resultado</translation>
    </message>
    <message>
        <source>… and {lines} more; &apos;chatdesk doctor --json&apos; lists them.</source>
        <translation>… e mais {lines}; &apos;chatdesk doctor --json&apos; os lista.</translation>
    </message>
    <message>
        <source>{label}, its own choice</source>
        <translation>{label}, escolha própria</translation>
    </message>
    <message>
        <source>General</source>
        <translation>Geral</translation>
    </message>
    <message>
        <source>Providers</source>
        <translation>Provedores</translation>
    </message>
    <message>
        <source>Usage and limits</source>
        <translation>Uso e limites</translation>
    </message>
    <message>
        <source>Accessibility</source>
        <translation>Acessibilidade</translation>
    </message>
    <message>
        <source>Team sync</source>
        <translation>Sincronização da equipe</translation>
    </message>
    <message>
        <source>Local service</source>
        <translation>Serviço local</translation>
    </message>
    <message>
        <source>Data and backup</source>
        <translation>Dados e backup</translation>
    </message>
    <message>
        <source>Shortcuts</source>
        <translation>Atalhos</translation>
    </message>
    <message>
        <source>Enter the passphrase…</source>
        <translation>Digitar a frase secreta…</translation>
    </message>
    <message>
        <source>Change the passphrase…</source>
        <translation>Alterar a frase secreta…</translation>
    </message>
    <message>
        <source>Add provider</source>
        <translation>Adicionar provedor</translation>
    </message>
    <message>
        <source>Look for servers on this computer</source>
        <translation>Procurar servidores neste computador</translation>
    </message>
    <message>
        <source>Only this computer is asked, at the usual ports, and no key is sent.</source>
        <translation>Só este computador é consultado, nas portas usuais, e nenhuma chave é enviada.</translation>
    </message>
    <message>
        <source>Always available</source>
        <translation>Sempre disponível</translation>
    </message>
    <message>
        <source>Needs no network, for trying things out</source>
        <translation>Não precisa de rede, para experimentar</translation>
    </message>
    <message>
        <source>Your keys are in a locked file. Enter its passphrase to use them.</source>
        <translation>Suas chaves estão em um arquivo bloqueado. Digite sua frase secreta para usá-las.</translation>
    </message>
    <message>
        <source>Switched off</source>
        <translation>Desligado</translation>
    </message>
    <message>
        <source>Test {label}</source>
        <translation>Testar {label}</translation>
    </message>
    <message>
        <source>Edit {label}</source>
        <translation>Editar {label}</translation>
    </message>
    <message>
        <source>Search the memories</source>
        <translation>Buscar nas memórias</translation>
    </message>
    <message>
        <source>Memories to show</source>
        <translation>Memórias a mostrar</translation>
    </message>
    <message>
        <source>Add…</source>
        <translation>Adicionar…</translation>
    </message>
    <message>
        <source>Edit…</source>
        <translation>Editar…</translation>
    </message>
    <message>
        <source>Show its message</source>
        <translation>Mostrar a mensagem dela</translation>
    </message>
    <message>
        <source>Delete what is chosen</source>
        <translation>Excluir o que está escolhido</translation>
    </message>
    <message>
        <source>Providers that get memories. None gets them unless you tick it.</source>
        <translation>Provedores que recebem as memórias. Nenhum as recebe se você não o marcar.</translation>
    </message>
    <message>
        <source>Providers that get memories</source>
        <translation>Provedores que recebem as memórias</translation>
    </message>
    <message>
        <source>What you confirm is kept, and sent with your questions to the providers that you tick below.</source>
        <translation>O que você confirma é mantido e enviado com suas perguntas aos provedores que você marcar abaixo.</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent. What is here stays until you delete it.</source>
        <translation>A memória está desligada: nada é mantido nem enviado. O que está aqui fica até você excluir.</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent until you turn it on. What is here can be deleted.</source>
        <translation>A memória está desligada: nada é mantido nem enviado até você ligá-la. O que está aqui pode ser excluído.</translation>
    </message>
    <message>
        <source>All memories</source>
        <translation>Todas as memórias</translation>
    </message>
    <message>
        <source>{name} (at a new address: tick it again)</source>
        <translation>{name} (em um novo endereço: marque de novo)</translation>
    </message>
    <message>
        <source>{name} — {address}</source>
        <translation>{name} — {address}</translation>
    </message>
    <message>
        <source>Undo the deletion</source>
        <translation>Desfazer a exclusão</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories</source>
        <comment>{count} memory</comment>
        <translation>
            <numerusform>{count} memória</numerusform>
            <numerusform>{count} memórias</numerusform>
        </translation>
    </message>
    <message>
        <source>No memory matches.</source>
        <translation>Nenhuma memória corresponde.</translation>
    </message>
    <message>
        <source>Nothing is remembered yet.</source>
        <translation>Nada está memorizado ainda.</translation>
    </message>
    <message>
        <source>Export the memories</source>
        <translation>Exportar as memórias</translation>
    </message>
    <message>
        <source>JSON files (*.json)</source>
        <translation>Arquivos JSON (*.json)</translation>
    </message>
    <message>
        <source>Models…</source>
        <translation>Modelos…</translation>
    </message>
    <message>
        <source>Enter a key</source>
        <translation>Digite uma chave</translation>
    </message>
    <message>
        <source>Switch off</source>
        <translation>Desligar</translation>
    </message>
    <message>
        <source>Switch on</source>
        <translation>Ligar</translation>
    </message>
    <message numerus="yes">
        <source>{count} models of {label}</source>
        <comment>{count} model of {label}</comment>
        <translation>
            <numerusform>{count} modelo de {label}</numerusform>
            <numerusform>{count} modelos de {label}</numerusform>
        </translation>
    </message>
    <message>
        <source>Fetched {fetched}</source>
        <translation>Buscado {fetched}</translation>
    </message>
    <message>
        <source>Looking…</source>
        <translation>Procurando…</translation>
    </message>
    <message>
        <source>Not tested</source>
        <translation>Não testado</translation>
    </message>
    <message>
        <source>Result of the test</source>
        <translation>Resultado do teste</translation>
    </message>
    <message>
        <source>Everything works.</source>
        <translation>Tudo funciona.</translation>
    </message>
    <message>
        <source>Encryption</source>
        <translation>Criptografia</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>Chave</translation>
    </message>
    <message>
        <source>Streaming</source>
        <translation>Fluxo</translation>
    </message>
    <message>
        <source>The key is not used before you agree</source>
        <translation>A chave não é usada antes de você consentir</translation>
    </message>
    <message>
        <source>Key from the variable {variable}</source>
        <translation>Chave da variável {variable}</translation>
    </message>
    <message>
        <source>API key in the system keyring</source>
        <translation>Chave de API no chaveiro do sistema</translation>
    </message>
    <message>
        <source>API key in the encrypted file</source>
        <translation>Chave de API no arquivo criptografado</translation>
    </message>
    <message>
        <source>API key for this run only</source>
        <translation>Chave de API só para esta execução</translation>
    </message>
    <message>
        <source>No key yet</source>
        <translation>Ainda sem chave</translation>
    </message>
    <message>
        <source>On this computer</source>
        <translation>Neste computador</translation>
    </message>
    <message>
        <source>Any OpenAI-compatible address</source>
        <translation>Qualquer endereço compatível com a OpenAI</translation>
    </message>
    <message>
        <source>No key needed</source>
        <translation>Nenhuma chave necessária</translation>
    </message>
    <message>
        <source>{code}: the key was refused</source>
        <translation>{code}: a chave foi recusada</translation>
    </message>
    <message numerus="yes">
        <source>Works, {count} models</source>
        <comment>Works, {count} model</comment>
        <translation>
            <numerusform>Funciona, {count} modelo</numerusform>
            <numerusform>Funciona, {count} modelos</numerusform>
        </translation>
    </message>
    <message>
        <source>ChatDesk first backs up what is there now. Then it closes, restores the backup you chose, and opens again.</source>
        <translation>O ChatDesk primeiro faz um backup do que há agora. Depois fecha, restaura o backup que você escolheu e abre de novo.</translation>
    </message>
    <message>
        <source>Restore a backup</source>
        <translation>Restaurar um backup</translation>
    </message>
    <message>
        <source>Backups, the newest first</source>
        <translation>Backups, os mais novos primeiro</translation>
    </message>
    <message>
        <source>Other file…</source>
        <translation>Outro arquivo…</translation>
    </message>
    <message>
        <source>There is no backup yet.</source>
        <translation>Ainda não há backup.</translation>
    </message>
    <message>
        <source>Looking into it…</source>
        <translation>Examinando…</translation>
    </message>
    <message>
        <source>Unpacking and checking the backup…</source>
        <translation>Descompactando e verificando o backup…</translation>
    </message>
    <message>
        <source>Choose a backup</source>
        <translation>Escolher um backup</translation>
    </message>
    <message>
        <source>Backups (*.zip *.gz *.db);;All files (*)</source>
        <translation>Backups (*.zip *.gz *.db);;Todos os arquivos (*)</translation>
    </message>
    <message>
        <source>before a restore</source>
        <translation>antes de uma restauração</translation>
    </message>
    <message>
        <source>before a repair</source>
        <translation>antes de um reparo</translation>
    </message>
    <message>
        <source>before an upgrade</source>
        <translation>antes de uma atualização</translation>
    </message>
    <message>
        <source>daily</source>
        <translation>diário</translation>
    </message>
    <message>
        <source>Newest message: {newest}</source>
        <translation>Mensagem mais nova: {newest}</translation>
    </message>
    <message>
        <source>Newest threads:</source>
        <translation>Conversas mais novas:</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>Configurações</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>Buscar</translation>
    </message>
    <message>
        <source>Not saved: {why}.</source>
        <translation>Não salvo: {why}.</translation>
    </message>
    <message>
        <source>Pages of the settings</source>
        <translation>Páginas das configurações</translation>
    </message>
    <message>
        <source>The environment variable {env} decides this.</source>
        <translation>A variável de ambiente {env} decide isto.</translation>
    </message>
    <message>
        <source>{hint} It is tried out until {day}, and may change.</source>
        <translation>{hint} Em teste até {day}; pode mudar.</translation>
    </message>
    <message>
        <source>Add a provider</source>
        <translation>Adicionar um provedor</translation>
    </message>
    <message>
        <source>API key server model connect</source>
        <translation>chave de API servidor modelo conectar</translation>
    </message>
    <message>
        <source>keys</source>
        <translation>teclas</translation>
    </message>
    <message>
        <source>global shortcut hotkey quick window</source>
        <translation>atalho global tecla de atalho janela rápida</translation>
    </message>
    <message>
        <source>workspace join share invite</source>
        <translation>espaço de trabalho entrar compartilhar convidar</translation>
    </message>
    <message>
        <source>sync folder recovery phrase laptop</source>
        <translation>sincronização pasta frase de recuperação notebook</translation>
    </message>
    <message>
        <source>cost money tokens price spend</source>
        <translation>custo dinheiro tokens preço gasto</translation>
    </message>
    <message>
        <source>Found settings</source>
        <translation>Configurações encontradas</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>Nada encontrado</translation>
    </message>
    <message numerus="yes">
        <source>days</source>
        <comment>day</comment>
        <translation>
            <numerusform>dia</numerusform>
            <numerusform>dias</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>weeks</source>
        <comment>week</comment>
        <translation>
            <numerusform>semana</numerusform>
            <numerusform>semanas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>minutes</source>
        <comment>minute</comment>
        <translation>
            <numerusform>minuto</numerusform>
            <numerusform>minutos</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>seconds</source>
        <comment>second</comment>
        <translation>
            <numerusform>segundo</numerusform>
            <numerusform>segundos</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>tokens</source>
        <comment>token</comment>
        <translation>
            <numerusform>token</numerusform>
            <numerusform>tokens</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>files</source>
        <comment>file</comment>
        <translation>
            <numerusform>arquivo</numerusform>
            <numerusform>arquivos</numerusform>
        </translation>
    </message>
    <message>
        <source>Drafts, pins, the archive, what you marked for the context, your keys and your prompts stay on this computer. So do the project&apos;s files: the team sees only the names of the folders and files that you added, or their text if you choose so in Files.</source>
        <translation>Rascunhos, itens fixados, as conversas arquivadas, o que você marcou para o contexto, suas chaves e seus prompts ficam neste computador. Os arquivos do projeto também: a equipe vê só os nomes das pastas e dos arquivos que você adicionou, ou o texto deles, se você escolher isso em Arquivos.</translation>
    </message>
    <message>
        <source>Share “{name}”</source>
        <translation>Compartilhar “{name}”</translation>
    </message>
    <message>
        <source>Counting…</source>
        <translation>Contando…</translation>
    </message>
    <message>
        <source>Workspace that the project is shared with</source>
        <translation>Espaço de trabalho com que o projeto é compartilhado</translation>
    </message>
    <message>
        <source>The project will be shared with “{name}”.</source>
        <translation>O projeto será compartilhado com “{name}”.</translation>
    </message>
    <message>
        <source>Choose the workspace that the project is shared with.</source>
        <translation>Escolha o espaço de trabalho com o qual o projeto é compartilhado.</translation>
    </message>
    <message>
        <source>With the workspace</source>
        <translation>Com o espaço de trabalho</translation>
    </message>
    <message>
        <source>Share</source>
        <translation>Compartilhar</translation>
    </message>
    <message>
        <source>New threads go into “{name}” unless you choose another project. Once it is shared, others see them. To keep it to yourself, make a new project for what you share.</source>
        <translation>As novas conversas vão para “{name}”, a menos que você escolha outro projeto. Depois de compartilhado, outros as veem. Para mantê-lo só para você, crie um projeto novo para o que compartilha.</translation>
    </message>
    <message>
        <source>Who will see it</source>
        <translation>Quem vai vê-lo</translation>
    </message>
    <message>
        <source>At first only you, on all your computers. Then those whom you give a role, here or by inviting them.</source>
        <translation>No começo só você, em todos os seus computadores. Depois, aqueles a quem você dá um papel, aqui ou ao convidá-los.</translation>
    </message>
    <message>
        <source>What never leaves</source>
        <translation>O que nunca sai</translation>
    </message>
    <message>
        <source>What cannot be taken back</source>
        <translation>O que não pode ser retirado</translation>
    </message>
    <message>
        <source>Good to know</source>
        <translation>Bom saber</translation>
    </message>
    <message>
        <source>{who} Threads of a shared project cannot be moved out of it, only copied.</source>
        <translation>{who} Conversas de um projeto compartilhado não podem ser movidas para fora dele, só copiadas.</translation>
    </message>
    <message>
        <source>Sharing the project…</source>
        <translation>Compartilhando o projeto…</translation>
    </message>
    <message>
        <source>Sharing of “{name}”</source>
        <translation>Compartilhamento de “{name}”</translation>
    </message>
    <message>
        <source>Shared with “{workspace}”. Your role is {role}: {hint}.</source>
        <translation>Compartilhado com “{workspace}”. Seu papel é {role}: {hint}.</translation>
    </message>
    <message>
        <source>Who sees it</source>
        <translation>Quem o vê</translation>
    </message>
    <message>
        <source>How long messages are kept</source>
        <translation>Por quanto tempo as mensagens são guardadas</translation>
    </message>
    <message>
        <source>Stop sharing…</source>
        <translation>Parar de compartilhar…</translation>
    </message>
    <message>
        <source>Leave project…</source>
        <translation>Sair do projeto…</translation>
    </message>
    <message>
        <source>Stop and erase…</source>
        <translation>Parar e apagar…</translation>
    </message>
    <message>
        <source>Invite…</source>
        <translation>Convidar…</translation>
    </message>
    <message>
        <source>Role of {name}</source>
        <translation>Papel de {name}</translation>
    </message>
    <message>
        <source>Member</source>
        <translation>Membro</translation>
    </message>
    <message>
        <source>A change takes effect at once. People who lose access keep the copy that is on their computer already.</source>
        <translation>Uma alteração vale na hora. Quem perde o acesso mantém a cópia que já está em seu computador.</translation>
    </message>
    <message>
        <source>Setting how long messages are kept…</source>
        <translation>Definindo por quanto tempo as mensagens são guardadas…</translation>
    </message>
    <message>
        <source>Changing the role…</source>
        <translation>Alterando o papel…</translation>
    </message>
    <message>
        <source>Older messages are being sent.</source>
        <translation>As mensagens mais antigas estão sendo enviadas.</translation>
    </message>
    <message>
        <source>Everything in it has reached the team.</source>
        <translation>Tudo nele chegou à equipe.</translation>
    </message>
    <message>
        <source>Sharing ends for everybody at once.</source>
        <translation>O compartilhamento termina para todos na hora.</translation>
    </message>
    <message numerus="yes">
        <source>{count} other members can no longer see what is new.</source>
        <comment>{count} other member can no longer see what is new.</comment>
        <translation>
            <numerusform>{count} outro membro não pode mais ver o que é novo.</numerusform>
            <numerusform>{count} outros membros não podem mais ver o que é novo.</numerusform>
        </translation>
    </message>
    <message>
        <source>Each computer that has it keeps its copy as a private project, this one too; nothing is deleted here.</source>
        <translation>Cada computador que o tem mantém sua cópia como projeto privado, este também; nada é excluído aqui.</translation>
    </message>
    <message>
        <source>Stop sharing “{name}”?</source>
        <translation>Parar de compartilhar “{name}”?</translation>
    </message>
    <message>
        <source>Stop sharing</source>
        <translation>Parar de compartilhar</translation>
    </message>
    <message>
        <source>You and the others no longer get each other&apos;s messages. The copy on this computer stays, as a private project. To come back, somebody who manages it has to give you a role again.</source>
        <translation>Você e os outros não recebem mais as mensagens uns dos outros. A cópia neste computador fica, como projeto privado. Para voltar, alguém que o gerencia precisa lhe dar um papel de novo.</translation>
    </message>
    <message>
        <source>Leave “{name}”?</source>
        <translation>Sair de “{name}”?</translation>
    </message>
    <message>
        <source>Leave</source>
        <translation>Sair</translation>
    </message>
    <message>
        <source>Everything in it is removed: from the server at once, and from every computer when it syncs next, this one too.</source>
        <translation>Tudo nele é removido: do servidor na hora, e de cada computador quando ele sincronizar da próxima vez, este também.</translation>
    </message>
    <message numerus="yes">
        <source>{count} other members lose it, too.</source>
        <comment>{count} other member loses it, too.</comment>
        <translation>
            <numerusform>{count} outro membro também o perde.</numerusform>
            <numerusform>{count} outros membros também o perdem.</numerusform>
        </translation>
    </message>
    <message>
        <source>What somebody wrote and did not send yet stays with them. This cannot be undone. Backups keep it until they are replaced, and so does anyone who copied or exported it, or left with a private copy.</source>
        <translation>O que alguém escreveu e ainda não enviou fica com ele. Isto não pode ser desfeito. Backups o mantêm até serem substituídos, e também quem o copiou ou exportou, ou saiu com uma cópia privada.</translation>
    </message>
    <message>
        <source>Stop sharing “{name}” and erase it for everyone?</source>
        <translation>Parar de compartilhar “{name}” e apagá-lo para todos?</translation>
    </message>
    <message>
        <source>Stop and erase</source>
        <translation>Parar e apagar</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes of yours did not reach the team yet and will stay only here.</source>
        <comment>{count} change of yours did not reach the team yet and will stay only here.</comment>
        <translation>
            <numerusform>{count} alteração sua ainda não chegou à equipe e vai ficar só aqui.</numerusform>
            <numerusform>{count} alterações suas ainda não chegaram à equipe e vão ficar só aqui.</numerusform>
        </translation>
    </message>
    <message>
        <source>Copy text</source>
        <translation>Copiar texto</translation>
    </message>
    <message>
        <source>Team sync: details</source>
        <translation>Sincronização da equipe: detalhes</translation>
    </message>
    <message>
        <source>Workspace</source>
        <translation>Espaço de trabalho</translation>
    </message>
    <message>
        <source>Check against the server</source>
        <translation>Comparar com o servidor</translation>
    </message>
    <message>
        <source>When</source>
        <translation>Quando</translation>
    </message>
    <message>
        <source>What</source>
        <translation>O quê</translation>
    </message>
    <message>
        <source>Took</source>
        <translation>Duração</translation>
    </message>
    <message>
        <source>Sync log</source>
        <translation>Log de sincronização</translation>
    </message>
    <message>
        <source>{count} ms</source>
        <translation>{count} ms</translation>
    </message>
    <message>
        <source>Go on without them…</source>
        <translation>Continuar sem elas…</translation>
    </message>
    <message numerus="yes">
        <source>Refused: {count} changes</source>
        <comment>Refused: {count} change</comment>
        <translation>
            <numerusform>Recusada: {count} alteração</numerusform>
            <numerusform>Recusadas: {count} alterações</numerusform>
        </translation>
    </message>
    <message>
        <source>Why</source>
        <translation>Motivo</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>Texto</translation>
    </message>
    <message>
        <source>Refused changes</source>
        <translation>Alterações recusadas</translation>
    </message>
    <message>
        <source>The team does not have these, or has something else in their place. They are kept on this computer only, until you forget them.</source>
        <translation>A equipe não as tem, ou tem outra coisa no lugar. Elas ficam guardadas só neste computador, até você esquecê-las.</translation>
    </message>
    <message>
        <source>Forget…</source>
        <translation>Esquecer…</translation>
    </message>
    <message>
        <source>For the selected changes</source>
        <translation>Para as alterações selecionadas</translation>
    </message>
    <message>
        <source>Asking the server…</source>
        <translation>Perguntando ao servidor…</translation>
    </message>
    <message>
        <source>… and {count} more.</source>
        <translation>… e mais {count}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} projects</source>
        <comment>{count} project</comment>
        <translation>
            <numerusform>{count} projeto</numerusform>
            <numerusform>{count} projetos</numerusform>
        </translation>
    </message>
    <message>
        <source>Encrypted, the server proves who it is</source>
        <translation>Criptografado, o servidor prova quem é</translation>
    </message>
    <message>
        <source>Not encrypted, for a server on this computer or in a network of your own</source>
        <translation>Sem criptografia, para um servidor neste computador ou em uma rede sua</translation>
    </message>
    <message>
        <source>Connection string</source>
        <translation>String de conexão</translation>
    </message>
    <message>
        <source>Pasted text fills in the fields below.</source>
        <translation>O texto colado preenche os campos abaixo.</translation>
    </message>
    <message>
        <source>Host</source>
        <translation>Host</translation>
    </message>
    <message>
        <source>User</source>
        <translation>Usuário</translation>
    </message>
    <message>
        <source>An empty database</source>
        <translation>Um banco de dados vazio</translation>
    </message>
    <message>
        <source>An account that may create roles</source>
        <translation>Uma conta que possa criar papéis</translation>
    </message>
    <message>
        <source>Password</source>
        <translation>Senha</translation>
    </message>
    <message>
        <source>Certificate file…</source>
        <translation>Arquivo de certificado…</translation>
    </message>
    <message>
        <source>Certificate of the authority that vouches for the server</source>
        <translation>Certificado da autoridade que atesta o servidor</translation>
    </message>
    <message>
        <source>Certificates that this computer trusts</source>
        <translation>Certificados em que este computador confia</translation>
    </message>
    <message>
        <source>Paste the connection string of an owner&apos;s account, or fill in the fields.</source>
        <translation>Cole a string de conexão da conta de um dono, ou preencha os campos.</translation>
    </message>
    <message>
        <source>Trusted certificates</source>
        <translation>Certificados confiáveis</translation>
    </message>
    <message>
        <source>The certificate named in the connection string</source>
        <translation>O certificado indicado na string de conexão</translation>
    </message>
    <message>
        <source>The certificate used so far</source>
        <translation>O certificado usado até agora</translation>
    </message>
    <message>
        <source>Certificate of the authority</source>
        <translation>Certificado da autoridade</translation>
    </message>
    <message>
        <source>{name} is not a certificate in PEM form. Nothing was changed.</source>
        <translation>{name} não é um certificado em formato PEM. Nada foi alterado.</translation>
    </message>
    <message>
        <source>Only what {name} vouches for</source>
        <translation>Só o que {name} atesta</translation>
    </message>
    <message>
        <source>fine</source>
        <translation>tudo bem</translation>
    </message>
    <message>
        <source>a warning</source>
        <translation>um aviso</translation>
    </message>
    <message>
        <source>Create a workspace</source>
        <translation>Criar um espaço de trabalho</translation>
    </message>
    <message>
        <source>Name of the workspace</source>
        <translation>Nome do espaço de trabalho</translation>
    </message>
    <message>
        <source>Your name, as the others see it</source>
        <translation>Seu nome, como os outros o veem</translation>
    </message>
    <message>
        <source>For example: the name of your team</source>
        <translation>Por exemplo: o nome da sua equipe</translation>
    </message>
    <message>
        <source>For example: Ana Lima</source>
        <translation>Por exemplo: Ana Lima</translation>
    </message>
    <message>
        <source>Next</source>
        <translation>Avançar</translation>
    </message>
    <message>
        <source>Set up</source>
        <translation>Configurar</translation>
    </message>
    <message>
        <source>Invite people…</source>
        <translation>Convidar pessoas…</translation>
    </message>
    <message>
        <source>“{name}” is ready, and you are its owner. Nothing is shared yet: open a project and choose Share…, and invite the people you work with.</source>
        <translation>“{name}” está pronto, e você é seu proprietário. Nada é compartilhado ainda: abra um projeto e escolha Compartilhar…, e convide as pessoas com quem trabalha.</translation>
    </message>
    <message>
        <source>A workspace is a PostgreSQL database, 15 or newer, that your team&apos;s computers share changes through. Give an empty one, and an account that may create roles; its password is used now and not kept.</source>
        <translation>Um espaço de trabalho é um banco de dados PostgreSQL, 15 ou mais novo, pelo qual os computadores da sua equipe compartilham alterações. Informe um vazio e uma conta que possa criar papéis; a senha dela é usada agora e não é guardada.</translation>
    </message>
    <message>
        <source>Was the workspace set up by hand? Then sign in with your login.</source>
        <translation>O espaço de trabalho foi configurado à mão? Então entre com seu login.</translation>
    </message>
    <message>
        <source>Sign in</source>
        <translation>Entrar</translation>
    </message>
    <message>
        <source>Your name</source>
        <translation>Seu nome</translation>
    </message>
    <message>
        <source>If setting up is interrupted, set up the same database again: it continues.</source>
        <translation>Se a configuração for interrompida, configure o mesmo banco de dados de novo: ela continua.</translation>
    </message>
    <message>
        <source>Looking at the database…</source>
        <translation>Examinando o banco de dados…</translation>
    </message>
    <message>
        <source>Signing in…</source>
        <translation>Entrando…</translation>
    </message>
    <message>
        <source>Setting up the workspace…</source>
        <translation>Configurando o espaço de trabalho…</translation>
    </message>
    <message>
        <source>What was found</source>
        <translation>O que foi encontrado</translation>
    </message>
    <message numerus="yes">
        <source>{count} problems must be fixed first.</source>
        <comment>{count} problem must be fixed first.</comment>
        <translation>
            <numerusform>{count} problema precisa ser corrigido antes.</numerusform>
            <numerusform>{count} problemas precisam ser corrigidos antes.</numerusform>
        </translation>
    </message>
    <message>
        <source>A workspace can be set up here.</source>
        <translation>Um espaço de trabalho pode ser configurado aqui.</translation>
    </message>
    <message>
        <source>A computer</source>
        <translation>Um computador</translation>
    </message>
    <message>
        <source>Take off the list…</source>
        <translation>Tirar da lista…</translation>
    </message>
    <message>
        <source>Code</source>
        <comment>invitation</comment>
        <translation>Código</translation>
    </message>
    <message>
        <source>Copy the code</source>
        <translation>Copiar o código</translation>
    </message>
    <message>
        <source>Save as file…</source>
        <translation>Salvar como arquivo…</translation>
    </message>
    <message>
        <source>The code is in the clipboard.</source>
        <translation>O código está na área de transferência.</translation>
    </message>
    <message>
        <source>The link is in the clipboard.</source>
        <translation>O link está na área de transferência.</translation>
    </message>
    <message>
        <source>Save the invitation</source>
        <translation>Salvar o convite</translation>
    </message>
    <message>
        <source>Invitations (*{ending})</source>
        <translation>Convites (*{ending})</translation>
    </message>
    <message>
        <source>Saved as {name}. Anyone who has the file can use it, so send it only to them.</source>
        <translation>Salvo como {name}. Quem tiver o arquivo pode usá-lo, então envie-o só a essa pessoa.</translation>
    </message>
    <message>
        <source>Invite to “{workspace}”</source>
        <translation>Convidar para “{workspace}”</translation>
    </message>
    <message>
        <source>{workspace} invitation</source>
        <translation>convite para {workspace}</translation>
    </message>
    <message>
        <source>Who is invited</source>
        <translation>Quem é convidado</translation>
    </message>
    <message>
        <source>Can be used for</source>
        <translation>Pode ser usado por</translation>
    </message>
    <message>
        <source>No project is shared yet, or you manage none. They can be given roles later, under Members.</source>
        <translation>Nenhum projeto é compartilhado ainda, ou você não gerencia nenhum. Papéis podem ser dados depois, em Membros.</translation>
    </message>
    <message>
        <source>Make an invitation</source>
        <translation>Criar um convite</translation>
    </message>
    <message>
        <source>Role in {name}</source>
        <translation>Papel em {name}</translation>
    </message>
    <message>
        <source>Their name; they can change it</source>
        <translation>O nome da pessoa; ela pode alterá-lo</translation>
    </message>
    <message>
        <source>Days for which the invitation can be used</source>
        <translation>Dias em que o convite pode ser usado</translation>
    </message>
    <message>
        <source> days</source>
        <translation> dias</translation>
    </message>
    <message>
        <source>Send this to {name} and nobody else: the first person who uses it takes that place. It works once, until {day}. They choose Join a workspace in Settings, Team sync.</source>
        <translation>Envie isto a {name} e a mais ninguém: a primeira pessoa que o usar toma esse lugar. Funciona uma vez, até {day}. A pessoa escolhe Entrar em um espaço de trabalho em Configurações, Sincronização da equipe.</translation>
    </message>
    <message>
        <source>Making the invitation…</source>
        <translation>Criando o convite…</translation>
    </message>
    <message>
        <source>Add a computer of mine</source>
        <translation>Adicionar um computador meu</translation>
    </message>
    <message>
        <source>{workspace} my computer</source>
        <translation>{workspace} meu computador</translation>
    </message>
    <message>
        <source>Type this passphrase on the other computer</source>
        <translation>Digite esta frase secreta no outro computador</translation>
    </message>
    <message>
        <source>Take the code or file to your other computer, choose Join a workspace there, and type the passphrase. It can be used until {day}. The code alone opens nothing; do not send both the same way.</source>
        <translation>Leve o código ou arquivo ao seu outro computador, escolha lá Entrar em um espaço de trabalho e digite a frase secreta. Pode ser usado até {day}. O código sozinho não abre nada; não envie os dois pelo mesmo caminho.</translation>
    </message>
    <message>
        <source>Invitations (*{ending});;All files (*)</source>
        <translation>Convites (*{ending});;Todos os arquivos (*)</translation>
    </message>
    <message>
        <source>Join a workspace</source>
        <translation>Entrar em um espaço de trabalho</translation>
    </message>
    <message>
        <source>Invitation</source>
        <translation>Convite</translation>
    </message>
    <message>
        <source>Open file…</source>
        <translation>Abrir arquivo…</translation>
    </message>
    <message>
        <source>Join anyway: nothing is encrypted on the way</source>
        <translation>Entrar mesmo assim: nada é criptografado no caminho</translation>
    </message>
    <message>
        <source>Paste the code or link that you were given, or open its file.</source>
        <translation>Cole o código ou link que você recebeu, ou abra o arquivo dele.</translation>
    </message>
    <message>
        <source>Passphrase that was shown beside the code</source>
        <translation>Frase secreta que foi mostrada ao lado do código</translation>
    </message>
    <message>
        <source>Join</source>
        <translation>Entrar</translation>
    </message>
    <message>
        <source>{name} cannot be read. Nothing was sent. Ask for the code as text.</source>
        <translation>{name} não pode ser lido. Nada foi enviado. Peça o código como texto.</translation>
    </message>
    <message>
        <source>Open an invitation</source>
        <translation>Abrir um convite</translation>
    </message>
    <message>
        <source>Joining the workspace…</source>
        <translation>Entrando no espaço de trabalho…</translation>
    </message>
    <message>
        <source>Adds this computer to “{workspace}”. You are the same member as on the computer that made the code.</source>
        <translation>Adiciona este computador a “{workspace}”. Você é o mesmo membro que no computador que criou o código.</translation>
    </message>
    <message>
        <source>You are invited by {name} to “{workspace}”.</source>
        <translation>{name} convida você para “{workspace}”.</translation>
    </message>
    <message>
        <source>You are invited to “{workspace}”.</source>
        <translation>Você foi convidado para “{workspace}”.</translation>
    </message>
    <message>
        <source>The database is {address}.</source>
        <translation>O banco de dados é {address}.</translation>
    </message>
    <message>
        <source>Projects: {projects}.</source>
        <translation>Projetos: {projects}.</translation>
    </message>
    <message>
        <source>It expired on {day}. Ask for a new one.</source>
        <translation>Expirou em {day}. Peça um novo.</translation>
    </message>
    <message>
        <source>It can be used until {day}.</source>
        <translation>Pode ser usado até {day}.</translation>
    </message>
    <message>
        <source>It can be used once, until {day}.</source>
        <translation>Pode ser usado uma vez, até {day}.</translation>
    </message>
    <message>
        <source>The way to this server is not encrypted: anyone on the way can read and change everything. That is fine for a server on this computer or a network that only you use.</source>
        <translation>O caminho até este servidor não é criptografado: qualquer um no caminho pode ler e alterar tudo. Isso não é problema para um servidor neste computador ou em uma rede que só você usa.</translation>
    </message>
    <message>
        <source>This computer has no keyring that could keep the password. Keep it in ChatDesk&apos;s encrypted file of keys instead; you enter its passphrase once after each start.</source>
        <translation>Este computador não tem chaveiro que possa guardar a senha. Guarde-a no arquivo de chaves criptografado do ChatDesk; você digita a frase secreta dele uma vez depois de cada início.</translation>
    </message>
    <message>
        <source>Keep it in the file</source>
        <translation>Guardá-la no arquivo</translation>
    </message>
    <message>
        <source>The passphrase of the file of keys</source>
        <translation>A frase secreta do arquivo de chaves</translation>
    </message>
    <message>
        <source>Leave “{workspace}”?</source>
        <translation>Sair de “{workspace}”?</translation>
    </message>
    <message>
        <source>Its projects stay on this computer, as private copies. Nothing is deleted here or there.</source>
        <translation>Seus projetos ficam neste computador, como cópias privadas. Nada é excluído aqui ou lá.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes did not reach the team yet and will stay only here.</source>
        <comment>{count} change did not reach the team yet and will stay only here.</comment>
        <translation>
            <numerusform>{count} alteração ainda não chegou à equipe e vai ficar só aqui.</numerusform>
            <numerusform>{count} alterações ainda não chegaram à equipe e vão ficar só aqui.</numerusform>
        </translation>
    </message>
    <message>
        <source>Only on this computer</source>
        <translation>Só neste computador</translation>
    </message>
    <message>
        <source>For good: end my membership</source>
        <translation>Definitivamente: encerrar minha participação</translation>
    </message>
    <message>
        <source>You stay a member; a code from another computer of yours brings this one back.</source>
        <translation>Você continua membro; um código de outro computador seu traz este de volta.</translation>
    </message>
    <message>
        <source>Leaving the workspace…</source>
        <translation>Saindo do espaço de trabalho…</translation>
    </message>
    <message>
        <source>Use</source>
        <translation>Usar</translation>
    </message>
    <message>
        <source>Password for “{workspace}”</source>
        <translation>Senha de “{workspace}”</translation>
    </message>
    <message>
        <source>ChatDesk made this password when you joined and keeps it with your keys. If it is lost, ask for a new invitation, or take a code from another computer of yours.</source>
        <translation>O ChatDesk criou esta senha quando você entrou e a guarda com suas chaves. Se ela se perdeu, peça um novo convite ou use um código de outro computador seu.</translation>
    </message>
    <message>
        <source>Trying the password…</source>
        <translation>Testando a senha…</translation>
    </message>
    <message>
        <source>Rename the workspace</source>
        <translation>Renomear o espaço de trabalho</translation>
    </message>
    <message>
        <source>All members see the new name.</source>
        <translation>Todos os membros veem o novo nome.</translation>
    </message>
    <message>
        <source>Renaming the workspace…</source>
        <translation>Renomeando o espaço de trabalho…</translation>
    </message>
    <message>
        <source>On all of your computers. What you wrote stays with the team; to come back you need an invitation.</source>
        <translation>Em todos os seus computadores. O que você escreveu fica com a equipe; para voltar, você precisa de um convite.</translation>
    </message>
    <message>
        <source>Make somebody else an owner first.</source>
        <translation>Torne outra pessoa proprietária antes.</translation>
    </message>
    <message>
        <source>Owners invite people, remove members and make others owners.</source>
        <translation>Proprietários convidam pessoas, removem membros e tornam outros proprietários.</translation>
    </message>
    <message>
        <source>End their connections: for somebody whose unfinished change holds up the others</source>
        <translation>Encerrar suas conexões: para alguém cuja alteração inacabada atrasa os outros</translation>
    </message>
    <message>
        <source>Roles</source>
        <translation>Papéis</translation>
    </message>
    <message>
        <source>My name…</source>
        <translation>Meu nome…</translation>
    </message>
    <message>
        <source>Manage…</source>
        <translation>Gerenciar…</translation>
    </message>
    <message>
        <source>New password…</source>
        <translation>Nova senha…</translation>
    </message>
    <message>
        <source>End their connections</source>
        <translation>Encerrar as conexões</translation>
    </message>
    <message>
        <source>Remove from the workspace…</source>
        <translation>Remover do espaço de trabalho…</translation>
    </message>
    <message>
        <source>Change name</source>
        <translation>Alterar nome</translation>
    </message>
    <message>
        <source>Owner of the workspace</source>
        <translation>Proprietário do espaço de trabalho</translation>
    </message>
    <message>
        <source>Telling the server…</source>
        <translation>Informando o servidor…</translation>
    </message>
    <message>
        <source>Changing your name…</source>
        <translation>Alterando seu nome…</translation>
    </message>
    <message>
        <source>{people} and {more} more</source>
        <translation>{people} e mais {more}</translation>
    </message>
    <message>
        <source>{name} invited {people}. They are still members, with the roles they have. Remove them as well if they came for {name} only; what they wrote stays either way.</source>
        <translation>{name} convidou {people}. Ainda são membros, com os papéis que têm. Remova-os também se vieram só por {name}; o que escreveram fica de qualquer modo.</translation>
    </message>
    <message>
        <source>{name} can no longer log in, from any computer, from this moment on. What they wrote stays with the team; what is on their computer already stays there. To have them back, invite them again.</source>
        <translation>{name} não pode mais fazer login, de nenhum computador, a partir deste momento. O que escreveu fica com a equipe; o que já está em seu computador fica lá. Para ter essa pessoa de volta, convide-a de novo.</translation>
    </message>
    <message>
        <source>This computer gets a new password that nobody sees. Your other computers can no longer log in with the old one: add them again with Add a computer of mine. Nothing is deleted.</source>
        <translation>Este computador recebe uma nova senha que ninguém vê. Seus outros computadores não podem mais fazer login com a antiga: adicione-os de novo com Adicionar um computador meu. Nada é excluído.</translation>
    </message>
    <message>
        <source>This profile was restored or repaired, or a copy of it is in use. ChatDesk does not connect to {address} until you say so; what waits here is sent then.</source>
        <translation>Este perfil foi restaurado ou reparado, ou uma cópia dele está em uso. O ChatDesk não se conecta a {address} até você mandar; o que espera aqui é enviado então.</translation>
    </message>
    <message>
        <source>Connect again</source>
        <translation>Conectar de novo</translation>
    </message>
    <message>
        <source>Give it up</source>
        <translation>Desistir dela</translation>
    </message>
    <message>
        <source>Give {name} up; its projects stay here as private copies</source>
        <translation>Desistir de {name}; seus projetos ficam aqui como cópias privadas</translation>
    </message>
    <message>
        <source>Create another workspace…</source>
        <translation>Criar outro espaço de trabalho…</translation>
    </message>
    <message>
        <source>Join another workspace…</source>
        <translation>Entrar em outro espaço de trabalho…</translation>
    </message>
    <message>
        <source>Work in the same projects with others, or on several computers of yours. Every computer keeps everything and works offline; a PostgreSQL database of yours carries the changes, and no server of ours is involved.</source>
        <translation>Trabalhe nos mesmos projetos com outros, ou em vários computadores seus. Cada computador guarda tudo e funciona offline; um banco de dados PostgreSQL seu leva as alterações, e nenhum servidor nosso participa.</translation>
    </message>
    <message>
        <source>For a team that has none: sets up an empty database that you give, and makes you its owner.</source>
        <translation>Para uma equipe que não tem nenhum: configura um banco de dados vazio que você informa e faz de você seu proprietário.</translation>
    </message>
    <message>
        <source>Create a workspace…</source>
        <translation>Criar um espaço de trabalho…</translation>
    </message>
    <message>
        <source>With an invitation: a code, a link or a file that somebody of the team, or another computer of yours, made. Nothing is sent before you have seen what it is.</source>
        <translation>Com um convite: um código, um link ou um arquivo que alguém da equipe, ou outro computador seu, criou. Nada é enviado antes de você ver o que é.</translation>
    </message>
    <message>
        <source>Enter the password…</source>
        <translation>Digitar a senha…</translation>
    </message>
    <message>
        <source>Details of syncing with {name}</source>
        <translation>Detalhes da sincronização com {name}</translation>
    </message>
    <message>
        <source>{address}, joined {day}</source>
        <translation>{address}, desde {day}</translation>
    </message>
    <message>
        <source>Shared projects</source>
        <translation>Projetos compartilhados</translation>
    </message>
    <message>
        <source>Role and state</source>
        <translation>Papel e estado</translation>
    </message>
    <message>
        <source>Sharing…</source>
        <translation>Compartilhamento…</translation>
    </message>
    <message>
        <source>None yet. Open a project and choose Share… in its menu; only what you share leaves this computer.</source>
        <translation>Nenhum ainda. Abra um projeto e escolha Compartilhar… no menu dele; só o que você compartilha sai deste computador.</translation>
    </message>
    <message>
        <source>Members</source>
        <translation>Membros</translation>
    </message>
    <message>
        <source>Devices</source>
        <translation>Dispositivos</translation>
    </message>
    <message>
        <source>Computer</source>
        <translation>Computador</translation>
    </message>
    <message>
        <source>About</source>
        <translation>Sobre</translation>
    </message>
    <message>
        <source>somebody</source>
        <translation>alguém</translation>
    </message>
    <message>
        <source>Add a computer of mine…</source>
        <translation>Adicionar um computador meu…</translation>
    </message>
    <message>
        <source>Address…</source>
        <translation>Endereço…</translation>
    </message>
    <message>
        <source>Address of the server of {name}</source>
        <translation>Endereço do servidor de {name}</translation>
    </message>
    <message>
        <source>Leave…</source>
        <translation>Sair…</translation>
    </message>
    <message>
        <source>Invite somebody to {name}</source>
        <translation>Convidar alguém para {name}</translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation>Renomear…</translation>
    </message>
    <message>
        <source>That computer can no longer sync under this name; what is on it stays there. If it was lost, also make a new password under My name, and add your other computers again.</source>
        <translation>Aquele computador não pode mais sincronizar com este nome; o que está nele fica lá. Se ele foi perdido, crie também uma nova senha em Meu nome, e adicione de novo os seus outros computadores.</translation>
    </message>
    <message>
        <source>A project that is not here yet</source>
        <translation>Um projeto que ainda não está aqui</translation>
    </message>
    <message>
        <source>Share…</source>
        <translation>Compartilhar…</translation>
    </message>
    <message>
        <source>Keep messages</source>
        <translation>Guardar mensagens</translation>
    </message>
    <message>
        <source>Older messages are erased for everybody, about once a day; that cannot be undone.</source>
        <translation>Mensagens mais antigas são apagadas para todos, cerca de uma vez por dia; isso não pode ser desfeito.</translation>
    </message>
    <message>
        <source>Days for which messages are kept</source>
        <translation>Dias durante os quais as mensagens são guardadas</translation>
    </message>
    <message>
        <source>Set</source>
        <translation>Definir</translation>
    </message>
    <message>
        <source>Set how long messages are kept</source>
        <translation>Definir por quanto tempo as mensagens são guardadas</translation>
    </message>
    <message>
        <source>Other…</source>
        <translation>Outro…</translation>
    </message>
    <message>
        <source>For ever</source>
        <translation>Para sempre</translation>
    </message>
    <message numerus="yes">
        <source>For {count} days</source>
        <comment>For {count} day</comment>
        <translation>
            <numerusform>Por {count} dia</numerusform>
            <numerusform>Por {count} dias</numerusform>
        </translation>
    </message>
    <message>
        <source>Messages are kept for ever.</source>
        <translation>As mensagens são guardadas para sempre.</translation>
    </message>
    <message numerus="yes">
        <source>Messages are kept for {count} days.</source>
        <comment>Messages are kept for {count} day.</comment>
        <translation>
            <numerusform>As mensagens são guardadas por {count} dia.</numerusform>
            <numerusform>As mensagens são guardadas por {count} dias.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Messages that are older than {count} days are erased for everybody, now and from now on: from the server, and from each computer when it syncs next. This cannot be undone. Backups, private copies and what somebody copied elsewhere keep them.</source>
        <comment>Messages that are older than {count} day are erased for everybody, now and from now on: from the server, and from each computer when it syncs next. This cannot be undone. Backups, private copies and what somebody copied elsewhere keep them.</comment>
        <translation>
            <numerusform>Mensagens com mais de {count} dia são apagadas para todos, agora e de agora em diante: do servidor, e de cada computador quando ele sincronizar da próxima vez. Isto não pode ser desfeito. Backups, cópias privadas e o que alguém copiou para outro lugar as mantêm.</numerusform>
            <numerusform>Mensagens com mais de {count} dias são apagadas para todos, agora e de agora em diante: do servidor, e de cada computador quando ele sincronizar da próxima vez. Isto não pode ser desfeito. Backups, cópias privadas e o que alguém copiou para outro lugar as mantêm.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Keep messages of “{name}” for {count} days only?</source>
        <comment>Keep messages of “{name}” for {count} day only?</comment>
        <translation>
            <numerusform>Guardar as mensagens de “{name}” por só {count} dia?</numerusform>
            <numerusform>Guardar as mensagens de “{name}” por só {count} dias?</numerusform>
        </translation>
    </message>
    <message>
        <source>Erase what is older</source>
        <translation>Apagar o que é mais antigo</translation>
    </message>
    <message>
        <source>No access</source>
        <translation>Sem acesso</translation>
    </message>
    <message>
        <source>{role}: {rights}.</source>
        <translation>{role}: {rights}.</translation>
    </message>
    <message>
        <source>Role</source>
        <translation>Papel</translation>
    </message>
    <message>
        <source>{what} and role</source>
        <translation>{what} e papel</translation>
    </message>
    <message>
        <source>Where “{workspace}” is reached</source>
        <translation>Onde “{workspace}” é alcançado</translation>
    </message>
    <message>
        <source>For a server that moved, or has another name now. ChatDesk first checks that this workspace is there. Your login stays; your other computers and the other members move for themselves.</source>
        <translation>Para um servidor que mudou de lugar ou tem outro nome agora. O ChatDesk antes verifica se este espaço de trabalho está lá. Seu login fica; seus outros computadores e os outros membros fazem a mudança por conta própria.</translation>
    </message>
    <message>
        <source>Use this address</source>
        <translation>Usar este endereço</translation>
    </message>
    <message>
        <source>Looking for the workspace…</source>
        <translation>Procurando o espaço de trabalho…</translation>
    </message>
    <message>
        <source>Viewer</source>
        <translation>Leitor</translation>
    </message>
    <message>
        <source>Editor</source>
        <translation>Editor</translation>
    </message>
    <message>
        <source>Admin</source>
        <translation>Administrador</translation>
    </message>
    <message>
        <source>Owner</source>
        <translation>Proprietário</translation>
    </message>
    <message>
        <source>reads</source>
        <translation>lê</translation>
    </message>
    <message>
        <source>reads and writes, changes and deletes their own</source>
        <translation>lê e escreve, altera e exclui o que é seu</translation>
    </message>
    <message>
        <source>changes and deletes everything, and manages members</source>
        <translation>altera e exclui tudo, e gerencia membros</translation>
    </message>
    <message>
        <source>does everything, and may end the sharing for everybody</source>
        <translation>faz tudo, e pode encerrar o compartilhamento para todos</translation>
    </message>
    <message>
        <source>Only projects that you share leave this computer: their threads, messages, attachments and summaries. Keys, drafts, pins, the prompt library and everything else stay here.</source>
        <translation>Só os projetos que você compartilha saem deste computador: suas conversas, mensagens, anexos e resumos. Chaves, rascunhos, itens fixados, a biblioteca de prompts e todo o resto ficam aqui.</translation>
    </message>
    <message>
        <source>What others have read, copied or exported, and private copies of those who leave. Threads and messages can be erased for everyone later, on the server and on each computer when it syncs; backups keep them until they are replaced. Stopping to share removes nothing from the server unless you choose to erase the project.</source>
        <translation>O que outros leram, copiaram ou exportaram, e cópias privadas de quem sai. Conversas e mensagens podem ser apagadas para todos mais tarde, no servidor e em cada computador quando ele sincroniza; backups as mantêm até serem substituídos. Parar de compartilhar não remove nada do servidor, a menos que você escolha apagar o projeto.</translation>
    </message>
    <message>
        <source>This version of ChatDesk brings a newer form of the team&apos;s database. Everyone can go on working with the present one until you upgrade it: &apos;chatdesk team upgrade&apos;.</source>
        <translation>Esta versão do ChatDesk traz uma forma mais nova do banco de dados da equipe. Todos podem continuar trabalhando com o atual até que você o atualize: “chatdesk team upgrade”.</translation>
    </message>
    <message>
        <source>Anyone who administers the database can read all that is shared, whatever roles people have.</source>
        <translation>Quem administra o banco de dados pode ler tudo o que é compartilhado, sejam quais forem os papéis das pessoas.</translation>
    </message>
    <message>
        <source>Shared with you again; choose Share… to send this copy</source>
        <translation>Compartilhado com você de novo; escolha Compartilhar… para enviar esta cópia</translation>
    </message>
    <message>
        <source>being sent</source>
        <translation>sendo enviado</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes refused</source>
        <comment>{count} change refused</comment>
        <translation>
            <numerusform>{count} alteração recusada</numerusform>
            <numerusform>{count} alterações recusadas</numerusform>
        </translation>
    </message>
    <message>
        <source>not in sync: what the server has does not fit</source>
        <translation>fora de sincronia: o que o servidor tem não combina</translation>
    </message>
    <message numerus="yes">
        <source>{count} attachments ({size})</source>
        <comment>{count} attachment ({size})</comment>
        <translation>
            <numerusform>{count} anexo ({size})</numerusform>
            <numerusform>{count} anexos ({size})</numerusform>
        </translation>
    </message>
    <message>
        <source>{parts} are sent now; what is written later is sent by itself.</source>
        <translation>Agora são enviados: {parts}. O que for escrito depois é enviado sozinho.</translation>
    </message>
    <message>
        <source>Removed; what they wrote stays</source>
        <translation>Removido; o que escreveu fica</translation>
    </message>
    <message>
        <source>you</source>
        <comment>beside a name</comment>
        <translation>você</translation>
    </message>
    <message numerus="yes">
        <source>{count} connections of {name} were ended. The server dropped what was unfinished; their computer sends it again.</source>
        <comment>{count} connection of {name} was ended. The server dropped what was unfinished; their computer sends it again.</comment>
        <translation>
            <numerusform>{count} conexão de {name} foi encerrada. O servidor descartou o que estava inacabado; o computador da pessoa envia de novo.</numerusform>
            <numerusform>{count} conexões de {name} foram encerradas. O servidor descartou o que estava inacabado; o computador da pessoa envia de novo.</numerusform>
        </translation>
    </message>
    <message>
        <source>you</source>
        <translation>você</translation>
    </message>
    <message>
        <source>owner of the workspace</source>
        <translation>proprietário do espaço de trabalho</translation>
    </message>
    <message>
        <source>invited, has not joined yet</source>
        <translation>convidado, ainda não entrou</translation>
    </message>
    <message>
        <source>invited on {day}, has not joined yet</source>
        <translation>convidado em {day}, ainda não entrou</translation>
    </message>
    <message>
        <source>in no project of yours</source>
        <translation>em nenhum projeto seu</translation>
    </message>
    <message>
        <source>this computer</source>
        <translation>este computador</translation>
    </message>
    <message>
        <source>never connected</source>
        <translation>nunca conectado</translation>
    </message>
    <message>
        <source>connected now</source>
        <translation>conectado agora</translation>
    </message>
    <message>
        <source>last connected {moment}</source>
        <translation>última conexão: {moment}</translation>
    </message>
    <message>
        <source>Nothing was new.</source>
        <translation>Nada era novo.</translation>
    </message>
    <message>
        <source>{sent} sent, {received} received.</source>
        <translation>{sent} enviadas, {received} recebidas.</translation>
    </message>
    <message>
        <source>{database} on {host}</source>
        <translation>{database} em {host}</translation>
    </message>
    <message numerus="yes">
        <source>{count} people {name} invited were removed.</source>
        <comment>{count} person {name} invited was removed.</comment>
        <translation>
            <numerusform>{count} pessoa que {name} convidou foi removida.</numerusform>
            <numerusform>{count} pessoas que {name} convidou foram removidas.</numerusform>
        </translation>
    </message>
    <message>
        <source>Everything in it stays on this computer as a private copy.</source>
        <translation>Tudo nele fica neste computador como cópia privada.</translation>
    </message>
    <message>
        <source>What you had not sent is in your own project.</source>
        <translation>O que você não tinha enviado está no seu próprio projeto.</translation>
    </message>
    <message>
        <source>shared, you can only read</source>
        <translation>compartilhado, você só pode ler</translation>
    </message>
    <message>
        <source>shared</source>
        <translation>compartilhado</translation>
    </message>
    <message>
        <source>shared, you manage it</source>
        <translation>compartilhado, você o gerencia</translation>
    </message>
    <message>
        <source>shared by you</source>
        <translation>compartilhado por você</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes in this thread were not taken by the team&apos;s server, so only you see them. Press the line below the threads to read why, to copy them out or to try again.</source>
        <comment>{count} change in this thread was not taken by the team&apos;s server, so only you see it. Press the line below the threads to read why, to copy it out or to try again.</comment>
        <translation>
            <numerusform>{count} alteração nesta conversa não foi aceita pelo servidor da equipe, então só você a vê. Pressione a linha abaixo das conversas para ler por quê, copiá-la ou tentar de novo.</numerusform>
            <numerusform>{count} alterações nesta conversa não foram aceitas pelo servidor da equipe, então só você as vê. Pressione a linha abaixo das conversas para ler por quê, copiá-las ou tentar de novo.</numerusform>
        </translation>
    </message>
    <message>
        <source>“{name}” is open to you again. Nothing of it was sent, because you wrote in your own copy meanwhile: choose Share… in its menu, and that goes up too.</source>
        <translation>“{name}” está aberto para você de novo. Nada dele foi enviado, porque você escreveu na sua própria cópia nesse meio-tempo: escolha Compartilhar… no menu dele, e isso também é enviado.</translation>
    </message>
    <message>
        <source>You are no longer a member of “{workspace}”. Its projects stay on this computer with everything in them, and what you write there now waits here. To come back, ask its owner for a new invitation.</source>
        <translation>Você não é mais membro de “{workspace}”. Seus projetos ficam neste computador com tudo neles, e o que você escrever lá agora espera aqui. Para voltar, peça um novo convite ao proprietário.</translation>
    </message>
    <message>
        <source>“{workspace}”: {problem} {next_step} Nothing that you write is lost meanwhile.</source>
        <translation>“{workspace}”: {problem} {next_step} Enquanto isso, nada do que você escreve se perde.</translation>
    </message>
    <message>
        <source>You can read this project; ask {name} to let you write.</source>
        <translation>Você pode ler este projeto; peça a {name} que deixe você escrever.</translation>
    </message>
    <message>
        <source>You can read this project; ask its owner to let you write.</source>
        <translation>Você pode ler este projeto; peça ao proprietário que deixe você escrever.</translation>
    </message>
    <message>
        <source>Another member</source>
        <translation>Outro membro</translation>
    </message>
    <message numerus="yes">
        <source>{first}, {second} and {count} others</source>
        <comment>{first}, {second} and {count} other</comment>
        <translation>
            <numerusform>{first}, {second} e mais {count}</numerusform>
            <numerusform>{first}, {second} e mais {count}</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{names} wrote {count} messages</source>
        <comment>{names} wrote a message</comment>
        <translation>
            <numerusform>Uma mensagem de {names}</numerusform>
            <numerusform>{count} mensagens de {names}</numerusform>
        </translation>
    </message>
    <message>
        <source>A project</source>
        <translation>Um projeto</translation>
    </message>
    <message>
        <source>Paused: nothing is read or written in the folder. What you write waits on this computer.</source>
        <translation>Em pausa: nada é lido nem gravado na pasta. O que você escreve espera neste computador.</translation>
    </message>
    <message>
        <source>This profile was restored, or a copy of it is in use, so it does not exchange anything. All chats are kept. Join again with the recovery phrase, or forget the folder.</source>
        <translation>Este perfil foi restaurado, ou uma cópia dele está em uso, então ele não troca nada. Todos os chats são mantidos. Entre de novo com a frase de recuperação, ou esqueça a pasta.</translation>
    </message>
    <message>
        <source>Your chats are being written into the folder. Join it on your other computers.</source>
        <translation>Seus chats estão sendo gravados na pasta. Entre nela em seus outros computadores.</translation>
    </message>
    <message>
        <source>This computer has joined. What the others have comes in now.</source>
        <translation>Este computador entrou. O que os outros têm chega agora.</translation>
    </message>
    <message>
        <source>Syncing.</source>
        <translation>Sincronizando.</translation>
    </message>
    <message>
        <source>Not everything is in the folder yet.</source>
        <translation>Ainda não está tudo na pasta.</translation>
    </message>
    <message>
        <source>All chats stay here. The folder stays as it is, for your other computers; nobody can read it without the phrase, with which you can join again.</source>
        <translation>Todos os chats ficam aqui. A pasta fica como está, para seus outros computadores; ninguém pode lê-la sem a frase, com a qual você pode entrar de novo.</translation>
    </message>
    <message>
        <source>Forget the folder?</source>
        <translation>Esquecer a pasta?</translation>
    </message>
    <message>
        <source>Forget it</source>
        <translation>Esquecê-la</translation>
    </message>
    <message>
        <source>This computer has left {folder}. All chats are kept.</source>
        <translation>Este computador saiu de {folder}. Todos os chats são mantidos.</translation>
    </message>
    <message>
        <source>Its chats and those of this computer are merged when you join; nothing is lost.</source>
        <translation>Os chats dela e os deste computador são mesclados quando você entra; nada se perde.</translation>
    </message>
    <message>
        <source>The phrase is still shown here.</source>
        <translation>A frase ainda é mostrada aqui.</translation>
    </message>
    <message>
        <source>Choose another folder, or copy the phrase.</source>
        <translation>Escolha outra pasta ou copie a frase.</translation>
    </message>
    <message>
        <source>Saved as {name}. Print it, or keep it where only you can read it.</source>
        <translation>Salva como {name}. Imprima-a, ou guarde-a onde só você possa lê-la.</translation>
    </message>
    <message>
        <source>Go on without them</source>
        <translation>Continuar sem elas</translation>
    </message>
    <message numerus="yes">
        <source>The text of {count} changes is in the clipboard.</source>
        <comment>The text of {count} change is in the clipboard.</comment>
        <translation>
            <numerusform>O texto de {count} alteração está na área de transferência.</numerusform>
            <numerusform>O texto de {count} alterações está na área de transferência.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Forget {count} refused changes?</source>
        <comment>Forget {count} refused change?</comment>
        <translation>
            <numerusform>Esquecer {count} alteração recusada?</numerusform>
            <numerusform>Esquecer {count} alterações recusadas?</numerusform>
        </translation>
    </message>
    <message>
        <source>What the server refused is no longer shown and cannot be sent again. Copy the text first if you need it.</source>
        <translation>O que o servidor recusou não é mais mostrado e não pode ser enviado de novo. Copie o texto antes, se precisar dele.</translation>
    </message>
    <message>
        <source>Sync is off</source>
        <translation>A sincronização está desligada</translation>
    </message>
    <message>
        <source>Sync is off.</source>
        <translation>A sincronização está desligada.</translation>
    </message>
    <message>
        <source>Synced</source>
        <translation>Sincronizado</translation>
    </message>
    <message>
        <source>Synced.</source>
        <translation>Sincronizado.</translation>
    </message>
    <message>
        <source>Syncing…</source>
        <translation>Sincronizando…</translation>
    </message>
    <message>
        <source>Connecting…</source>
        <translation>Conectando…</translation>
    </message>
    <message>
        <source>Connecting.</source>
        <translation>Conectando.</translation>
    </message>
    <message>
        <source>Offline echo</source>
        <translation>Eco offline</translation>
    </message>
    <message>
        <source>the offline model</source>
        <translation>o modelo offline</translation>
    </message>
    <message>
        <source>The offline model</source>
        <translation>O modelo offline</translation>
    </message>
    <message>
        <source>Offline</source>
        <translation>Offline</translation>
    </message>
    <message>
        <source>The offline model pretends to be busy.</source>
        <translation>O modelo offline finge estar ocupado.</translation>
    </message>
    <message>
        <source>Offline: the team&apos;s database cannot be reached.</source>
        <translation>Offline: o banco de dados da equipe não pode ser alcançado.</translation>
    </message>
    <message>
        <source>Update ChatDesk to send</source>
        <translation>Atualize o ChatDesk para enviar</translation>
    </message>
    <message>
        <source>This ChatDesk is too old to send changes; it still receives those of others.</source>
        <translation>Este ChatDesk é antigo demais para enviar alterações; ele ainda recebe as de outros.</translation>
    </message>
    <message>
        <source>Refused by the team&apos;s server</source>
        <translation>Recusado pelo servidor da equipe</translation>
    </message>
    <message>
        <source>The team&apos;s database did not let this computer in.</source>
        <translation>O banco de dados da equipe não deixou este computador entrar.</translation>
    </message>
    <message>
        <source>Synced at {moment}.</source>
        <translation>Sincronizado: {moment}.</translation>
    </message>
    <message>
        <source>Syncing {done} of {total}.</source>
        <translation>Sincronizando {done} de {total}.</translation>
    </message>
    <message>
        <source>Synced last at {moment}.</source>
        <translation>Última sincronização: {moment}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes were refused.</source>
        <comment>{count} change was refused.</comment>
        <translation>
            <numerusform>{count} alteração foi recusada.</numerusform>
            <numerusform>{count} alterações foram recusadas.</numerusform>
        </translation>
    </message>
    <message>
        <source>The next try is at {moment}.</source>
        <translation>Próxima tentativa: {moment}.</translation>
    </message>
    <message>
        <source>never</source>
        <translation>nunca</translation>
    </message>
    <message>
        <source>Syncing {done} of {total}</source>
        <translation>Sincronizando {done} de {total}</translation>
    </message>
    <message>
        <source>Synced {time}</source>
        <translation>Sincronizado {time}</translation>
    </message>
    <message>
        <source>Refused: {problem}</source>
        <translation>Recusado: {problem}</translation>
    </message>
    <message numerus="yes">
        <source>Sending {count} changes</source>
        <comment>Sending {count} change</comment>
        <translation>
            <numerusform>Enviando {count} alteração</numerusform>
            <numerusform>Enviando {count} alterações</numerusform>
        </translation>
    </message>
    <message>
        <source>{words}.</source>
        <translation>{words}.</translation>
    </message>
    <message>
        <source>Change how the project is shared…</source>
        <translation>Alterar como o projeto é compartilhado…</translation>
    </message>
    <message>
        <source>Share project…</source>
        <translation>Compartilhar projeto…</translation>
    </message>
    <message>
        <source>The others see you as {name} from the next sync on.</source>
        <translation>Os outros veem você como {name} a partir da próxima sincronização.</translation>
    </message>
    <message>
        <source>{name} was removed, and can no longer log in.</source>
        <translation>{name} foi removido e não pode mais fazer login.</translation>
    </message>
    <message>
        <source>Remove {name} from the workspace?</source>
        <translation>Remover {name} do espaço de trabalho?</translation>
    </message>
    <message>
        <source>Removing the member…</source>
        <translation>Removendo o membro…</translation>
    </message>
    <message>
        <source>Remove the people {name} invited?</source>
        <translation>Remover as pessoas que {name} convidou?</translation>
    </message>
    <message>
        <source>Remove them</source>
        <translation>Removê-las</translation>
    </message>
    <message>
        <source>This computer has a new password. Add your other computers again.</source>
        <translation>Este computador tem uma nova senha. Adicione seus outros computadores de novo.</translation>
    </message>
    <message>
        <source>Make a new password?</source>
        <translation>Criar uma nova senha?</translation>
    </message>
    <message>
        <source>New password</source>
        <translation>Nova senha</translation>
    </message>
    <message>
        <source>Changing the password…</source>
        <translation>Alterando a senha…</translation>
    </message>
    <message>
        <source>Taking the computer off the list…</source>
        <translation>Tirando o computador da lista…</translation>
    </message>
    <message>
        <source>{name} is off the list.</source>
        <translation>{name} está fora da lista.</translation>
    </message>
    <message>
        <source>Take {name} off the list?</source>
        <translation>Tirar {name} da lista?</translation>
    </message>
    <message>
        <source>Take off</source>
        <translation>Tirar</translation>
    </message>
    <message>
        <source>The workspace is called “{name}” now.</source>
        <translation>O espaço de trabalho se chama “{name}” agora.</translation>
    </message>
    <message>
        <source>You left “{name}”. Its projects are private copies now.</source>
        <translation>Você saiu de “{name}”. Seus projetos agora são cópias privadas.</translation>
    </message>
    <message>
        <source>You are in “{name}” again.</source>
        <translation>Você está em “{name}” de novo.</translation>
    </message>
    <message>
        <source>You left the workspace. Its projects are private copies now.</source>
        <translation>Você saiu do espaço de trabalho. Os projetos dele agora são cópias privadas.</translation>
    </message>
    <message>
        <source>This computer is in no workspace.</source>
        <translation>Este computador não está em nenhum espaço de trabalho.</translation>
    </message>
    <message>
        <source>Create or join one in Settings, Team sync.</source>
        <translation>Crie um ou entre em um em Configurações, Sincronização da equipe.</translation>
    </message>
    <message>
        <source>The file could not be written: {why}.</source>
        <translation>O arquivo não pôde ser gravado: {why}.</translation>
    </message>
    <message>
        <source>Operation not permitted</source>
        <translation>Operação não permitida</translation>
    </message>
    <message>
        <source>No such file or directory</source>
        <translation>Arquivo ou pasta não encontrado</translation>
    </message>
    <message>
        <source>Input/output error</source>
        <translation>Erro de entrada/saída</translation>
    </message>
    <message>
        <source>Cannot allocate memory</source>
        <translation>Memória insuficiente</translation>
    </message>
    <message>
        <source>Permission denied</source>
        <translation>Permissão negada</translation>
    </message>
    <message>
        <source>Device or resource busy</source>
        <translation>Dispositivo ou recurso ocupado</translation>
    </message>
    <message>
        <source>File exists</source>
        <translation>O arquivo já existe</translation>
    </message>
    <message>
        <source>Not a directory</source>
        <translation>Não é uma pasta</translation>
    </message>
    <message>
        <source>Is a directory</source>
        <translation>É uma pasta</translation>
    </message>
    <message>
        <source>Invalid argument</source>
        <translation>Argumento inválido</translation>
    </message>
    <message>
        <source>Too many open files</source>
        <translation>Arquivos abertos demais</translation>
    </message>
    <message>
        <source>File too large</source>
        <translation>Arquivo grande demais</translation>
    </message>
    <message>
        <source>No space left on device</source>
        <translation>Não há espaço no dispositivo</translation>
    </message>
    <message>
        <source>Read-only file system</source>
        <translation>Sistema de arquivos somente leitura</translation>
    </message>
    <message>
        <source>Broken pipe</source>
        <translation>Pipe rompido</translation>
    </message>
    <message>
        <source>File name too long</source>
        <translation>Nome de arquivo longo demais</translation>
    </message>
    <message>
        <source>Directory not empty</source>
        <translation>A pasta não está vazia</translation>
    </message>
    <message>
        <source>Too many levels of symbolic links</source>
        <translation>Links simbólicos demais em sequência</translation>
    </message>
    <message>
        <source>Disk quota exceeded</source>
        <translation>Cota de disco excedida</translation>
    </message>
    <message>
        <source>Address already in use</source>
        <translation>Endereço já em uso</translation>
    </message>
    <message>
        <source>Cannot assign requested address</source>
        <translation>Não é possível atribuir o endereço</translation>
    </message>
    <message>
        <source>Network is unreachable</source>
        <translation>Rede inacessível</translation>
    </message>
    <message>
        <source>No route to host</source>
        <translation>Sem rota até o servidor</translation>
    </message>
    <message>
        <source>Connection refused</source>
        <translation>Conexão recusada</translation>
    </message>
    <message>
        <source>Connection reset by peer</source>
        <translation>Conexão encerrada pelo outro lado</translation>
    </message>
    <message>
        <source>Connection timed out</source>
        <translation>Tempo de conexão esgotado</translation>
    </message>
    <message>
        <source>the system refused</source>
        <translation>o sistema recusou</translation>
    </message>
    <message>
        <source>The code is still shown here.</source>
        <translation>O código ainda é mostrado aqui.</translation>
    </message>
    <message>
        <source>Choose another folder, or copy the code.</source>
        <translation>Escolha outra pasta ou copie o código.</translation>
    </message>
    <message>
        <source>The workspace “{name}” is ready.</source>
        <translation>O espaço de trabalho “{name}” está pronto.</translation>
    </message>
    <message>
        <source>You are in “{name}”.</source>
        <translation>Você está em “{name}”.</translation>
    </message>
    <message>
        <source>{name} cannot be read as an invitation.</source>
        <translation>{name} não pode ser lido como convite.</translation>
    </message>
    <message>
        <source>Ask for the code as text.</source>
        <translation>Peça o código como texto.</translation>
    </message>
    <message>
        <source>You are in “{name}” as {member}. What is shared with you comes in now.</source>
        <translation>Você está em “{name}” como {member}. O que é compartilhado com você chega agora.</translation>
    </message>
    <message>
        <source>Opening the file of keys…</source>
        <translation>Abrindo o arquivo de chaves…</translation>
    </message>
    <message>
        <source>“{name}” and {more} more of “{workspace}” have arrived.</source>
        <translation>“{name}” e mais {more} de “{workspace}” chegaram.</translation>
    </message>
    <message>
        <source>“{name}” of “{workspace}” has arrived.</source>
        <translation>“{name}” de “{workspace}” chegou.</translation>
    </message>
    <message>
        <source>This computer now uses {address} for “{name}”.</source>
        <translation>Este computador agora usa {address} para “{name}”.</translation>
    </message>
    <message>
        <source>To share a project, create a workspace or join one first.</source>
        <translation>Para compartilhar um projeto, crie um espaço de trabalho ou entre em um antes.</translation>
    </message>
    <message>
        <source>“{name}” is shared. The line below the threads shows how much has been sent.</source>
        <translation>“{name}” está compartilhado. A linha abaixo das conversas mostra quanto já foi enviado.</translation>
    </message>
    <message>
        <source>That project is no longer shared.</source>
        <translation>Esse projeto não é mais compartilhado.</translation>
    </message>
    <message>
        <source>“{name}” is a private project on this computer now.</source>
        <translation>“{name}” é agora um projeto privado neste computador.</translation>
    </message>
    <message>
        <source>Try again in a while.</source>
        <translation>Tente novamente daqui a um tempo.</translation>
    </message>
    <message>
        <source>This is nested too deeply.</source>
        <translation>Isto está aninhado fundo demais.</translation>
    </message>
    <message>
        <source>This is not valid JSON in line {number}.</source>
        <translation>Isto não é JSON válido na linha {number}.</translation>
    </message>
    <message>
        <source>This is not valid JSON.</source>
        <translation>Isto não é JSON válido.</translation>
    </message>
    <message>
        <source>Arguments are a JSON object: { … }.</source>
        <translation>Argumentos são um objeto JSON: { … }.</translation>
    </message>
    <message>
        <source>1 of {count}</source>
        <translation>1 de {count}</translation>
    </message>
    <message>
        <source>Review proposed changes</source>
        <translation>Revisar alterações propostas</translation>
    </message>
    <message>
        <source>Review the proposed change</source>
        <translation>Revisar a alteração proposta</translation>
    </message>
    <message>
        <source>File</source>
        <translation>Arquivo</translation>
    </message>
    <message>
        <source>Reject</source>
        <translation>Rejeitar</translation>
    </message>
    <message>
        <source>Apply</source>
        <translation>Aplicar</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines added, {removed} removed</source>
        <comment>{count} line added, {removed} removed</comment>
        <translation>
            <numerusform>{count} linha adicionada, {removed} removidas</numerusform>
            <numerusform>{count} linhas adicionadas, {removed} removidas</numerusform>
        </translation>
    </message>
    <message>
        <source>This text has characters that hide, so it is edited in an editor.</source>
        <translation>Este texto tem caracteres ocultos, por isso ele é editado em um editor.</translation>
    </message>
    <message>
        <source>Difference</source>
        <translation>Diferença</translation>
    </message>
    <message>
        <source>Applied: {path}</source>
        <translation>Aplicada: {path}</translation>
    </message>
    <message>
        <source>Rejected: {path}</source>
        <translation>Rejeitada: {path}</translation>
    </message>
    <message>
        <source>Undone: {path}</source>
        <translation>Desfeita: {path}</translation>
    </message>
    <message>
        <source>change a file</source>
        <translation>alterar um arquivo</translation>
    </message>
    <message>
        <source>This change was not proposed on this computer.</source>
        <translation>Esta alteração não foi proposta neste computador.</translation>
    </message>
    <message>
        <source>This change is not applied.</source>
        <translation>Esta alteração não está aplicada.</translation>
    </message>
    <message>
        <source>This change is already applied.</source>
        <translation>Esta alteração já está aplicada.</translation>
    </message>
    <message>
        <source>This change was rejected.</source>
        <translation>Esta alteração foi rejeitada.</translation>
    </message>
    <message>
        <source>The file is no longer the one that this change was made from.</source>
        <translation>O arquivo não é mais aquele a partir do qual esta alteração foi feita.</translation>
    </message>
    <message>
        <source>The file was changed after this change was applied.</source>
        <translation>O arquivo foi alterado depois que esta alteração foi aplicada.</translation>
    </message>
    <message>
        <source>The project has no folder on this computer, or another one by now.</source>
        <translation>O projeto não tem pasta neste computador, ou agora tem outra.</translation>
    </message>
    <message>
        <source>This change was not proposed on this computer, or too long ago.</source>
        <translation>Esta alteração não foi proposta neste computador, ou foi há tempo demais.</translation>
    </message>
    <message>
        <source>Name a file.</source>
        <translation>Indique um arquivo.</translation>
    </message>
    <message>
        <source>This change is too large to review, or has lines that are too long.</source>
        <translation>Esta alteração é grande demais para ser revisada, ou tem linhas longas demais.</translation>
    </message>
    <message>
        <source>Propose it in smaller steps.</source>
        <translation>Proponha-a em passos menores.</translation>
    </message>
    <message>
        <source>The change could not be kept: {reason}.</source>
        <translation>A alteração não pôde ser guardada: {reason}.</translation>
    </message>
    <message>
        <source>No file was changed.</source>
        <translation>Nenhum arquivo foi alterado.</translation>
    </message>
    <message>
        <source>The file has this text already.</source>
        <translation>O arquivo já tem este texto.</translation>
    </message>
    <message>
        <source>The files that are kept of this change cannot be read or written.</source>
        <translation>Os arquivos guardados desta alteração não podem ser lidos nem gravados.</translation>
    </message>
    <message>
        <source>Ask the model to propose it again.</source>
        <translation>Peça ao modelo que a proponha de novo.</translation>
    </message>
    <message>
        <source>Ask the model to propose it here.</source>
        <translation>Peça ao modelo que a proponha aqui.</translation>
    </message>
    <message numerus="yes">
        <source>{count} tool servers</source>
        <comment>{count} tool server</comment>
        <translation>
            <numerusform>{count} servidor de ferramentas</numerusform>
            <numerusform>{count} servidores de ferramentas</numerusform>
        </translation>
    </message>
    <message>
        <source>Tools in this thread: {names}</source>
        <translation>Ferramentas nesta conversa: {names}</translation>
    </message>
    <message>
        <source>Folder: {folder}</source>
        <translation>Pasta: {folder}</translation>
    </message>
    <message>
        <source>As in the project</source>
        <translation>Como no projeto</translation>
    </message>
    <message>
        <source>Use these in the whole project</source>
        <translation>Usar estas em todo o projeto</translation>
    </message>
    <message>
        <source>Tool servers…</source>
        <translation>Servidores de ferramentas…</translation>
    </message>
    <message>
        <source>{name} of {server} waits for your approval: Ctrl+Shift+Y.</source>
        <translation>{name} de {server} espera sua aprovação: Ctrl+Shift+Y.</translation>
    </message>
    <message>
        <source>{name} waits for your approval in another thread.</source>
        <translation>{name} espera sua aprovação em outra conversa.</translation>
    </message>
    <message>
        <source>Allow in this project</source>
        <translation>Permitir neste projeto</translation>
    </message>
    <message>
        <source>Always allow</source>
        <translation>Permitir sempre</translation>
    </message>
    <message>
        <source>Allow in this thread</source>
        <translation>Permitir nesta conversa</translation>
    </message>
    <message>
        <source>Allow in this thread, it only reads</source>
        <translation>Permitir nesta conversa, só lê</translation>
    </message>
    <message>
        <source>Allow in this project, it only reads</source>
        <translation>Permitir neste projeto, só lê</translation>
    </message>
    <message>
        <source>Always allow, it only reads</source>
        <translation>Permitir sempre, só lê</translation>
    </message>
    <message>
        <source>Deny</source>
        <translation>Negar</translation>
    </message>
    <message>
        <source>Allow once</source>
        <translation>Permitir uma vez</translation>
    </message>
    <message>
        <source>Allow for longer…</source>
        <translation>Permitir por mais tempo…</translation>
    </message>
    <message>
        <source>You say that it changes and sends nothing, so it also runs after text from outside.</source>
        <translation>Você diz que ela não altera nem envia nada, então ela também é executada depois de texto de fora.</translation>
    </message>
    <message>
        <source>Run “{name}” of {server}?</source>
        <translation>Executar “{name}” de {server}?</translation>
    </message>
    <message>
        <source>{what}?</source>
        <translation>{what}?</translation>
    </message>
    <message>
        <source>Arguments of {name}</source>
        <translation>Argumentos de {name}</translation>
    </message>
    <message numerus="yes">
        <source>{count} more characters are not shown, but would be sent.</source>
        <comment>{count} more character is not shown, but would be sent.</comment>
        <translation>
            <numerusform>Mais {count} caractere não é mostrado, mas seria enviado.</numerusform>
            <numerusform>Mais {count} caracteres não são mostrados, mas seriam enviados.</numerusform>
        </translation>
    </message>
    <message>
        <source>Deny: {name} of {server}</source>
        <translation>Negar: {name} de {server}</translation>
    </message>
    <message>
        <source>Allow once: {name} of {server}</source>
        <translation>Permitir uma vez: {name} de {server}</translation>
    </message>
    <message>
        <source>ChatDesk runs this itself. What it finds goes to the model that answers.</source>
        <translation>O próprio ChatDesk executa isto. O que ele encontra vai para o modelo que responde.</translation>
    </message>
    <message>
        <source>These arguments are sent to {where}</source>
        <translation>Estes argumentos são enviados para {where}</translation>
    </message>
    <message>
        <source>These arguments are given to a program on this computer: {where}</source>
        <translation>Estes argumentos são dados a um programa neste computador: {where}</translation>
    </message>
    <message>
        <source>{server} asks you for something: Ctrl+Shift+Y.</source>
        <translation>{server} pede algo a você: Ctrl+Shift+Y.</translation>
    </message>
    <message>
        <source>{server} asks you for something in another thread.</source>
        <translation>{server} pede algo a você em outra conversa.</translation>
    </message>
    <message>
        <source>User</source>
        <comment>role</comment>
        <translation>Usuário</translation>
    </message>
    <message>
        <source>Decline</source>
        <translation>Recusar</translation>
    </message>
    <message>
        <source>{server} asks you for something</source>
        <translation>{server} pede algo a você</translation>
    </message>
    <message>
        <source>{server} wants you to open a page</source>
        <translation>{server} quer que você abra uma página</translation>
    </message>
    <message>
        <source>Open in browser</source>
        <translation>Abrir no navegador</translation>
    </message>
    <message>
        <source>{server} wants to ask {model}</source>
        <translation>{server} quer perguntar a {model}</translation>
    </message>
    <message>
        <source>The whole question</source>
        <translation>A pergunta inteira</translation>
    </message>
    <message numerus="yes">
        <source>{names} look like secrets. {server} gets what you enter, as you enter it.</source>
        <comment>{names} looks like a secret. {server} gets what you enter, as you enter it.</comment>
        <translation>
            <numerusform>{names} parece um segredo. {server} recebe o que você digita, como você digita.</numerusform>
            <numerusform>{names} parecem segredos. {server} recebe o que você digita, como você digita.</numerusform>
        </translation>
    </message>
    <message>
        <source>The server asks while “{tool}” runs.</source>
        <translation>O servidor pede isto enquanto “{tool}” é executada.</translation>
    </message>
    <message>
        <source>The server chose this page: check the address before you enter anything there.</source>
        <translation>O servidor escolheu esta página: verifique o endereço antes de digitar algo lá.</translation>
    </message>
    <message numerus="yes">
        <source>This costs you at most {count} tokens and counts towards your limits.</source>
        <comment>This costs you at most {count} token and counts towards your limits.</comment>
        <translation>
            <numerusform>Isto custa a você no máximo {count} token e conta para os seus limites.</numerusform>
            <numerusform>Isto custa a você no máximo {count} tokens e conta para os seus limites.</numerusform>
        </translation>
    </message>
    <message>
        <source>The answer is sent to {where}</source>
        <translation>A resposta é enviada para {where}</translation>
    </message>
    <message>
        <source>The answer is given to a program on this computer: {where}</source>
        <translation>A resposta é dada a um programa neste computador: {where}</translation>
    </message>
    <message>
        <source>What you enter is sent to {where}</source>
        <translation>O que você digita é enviado para {where}</translation>
    </message>
    <message>
        <source>What you enter is given to a program on this computer: {where}</source>
        <translation>O que você digita é dado a um programa neste computador: {where}</translation>
    </message>
    <message>
        <source>None: models only read pages</source>
        <translation>Nenhum: os modelos só leem páginas</translation>
    </message>
    <message>
        <source>A server that asks other search engines: yours, or one whose owner lets programs search.</source>
        <translation>Um servidor que consulta outros mecanismos de busca: o seu, ou um cujo dono deixa programas buscarem.</translation>
    </message>
    <message>
        <source>A service. What is searched for goes there, with your key.</source>
        <translation>Um serviço. O que é buscado vai para lá, com sua chave.</translation>
    </message>
    <message>
        <source>Web search</source>
        <translation>Busca na web</translation>
    </message>
    <message>
        <source>Search engine</source>
        <translation>Mecanismo de busca</translation>
    </message>
    <message>
        <source>Address of SearXNG</source>
        <translation>Endereço do SearXNG</translation>
    </message>
    <message>
        <source>{address} or {other}</source>
        <translation>{address} ou {other}</translation>
    </message>
    <message>
        <source>Test the search engine</source>
        <translation>Testar o mecanismo de busca</translation>
    </message>
    <message>
        <source>A key is kept; type another to replace it</source>
        <translation>Há uma chave guardada; digite outra para substituí-la</translation>
    </message>
    <message>
        <source>A key is kept. Type another to replace it.</source>
        <translation>Há uma chave guardada. Digite outra para substituí-la.</translation>
    </message>
    <message>
        <source>Testing…</source>
        <translation>Testando…</translation>
    </message>
    <message>
        <source>Saving…</source>
        <translation>Salvando…</translation>
    </message>
    <message>
        <source>Comes with ChatDesk. No search engine is chosen: models can only read pages.</source>
        <translation>Vem com o ChatDesk. Nenhum mecanismo de busca está escolhido: os modelos só podem ler páginas.</translation>
    </message>
    <message>
        <source>Comes with ChatDesk. Searches with {engine} at {host}.</source>
        <translation>Vem com o ChatDesk. Busca com {engine} em {host}.</translation>
    </message>
    <message>
        <source>Comes with ChatDesk. Searches with {engine}.</source>
        <translation>Vem com o ChatDesk. Busca com {engine}.</translation>
    </message>
    <message>
        <source>The program gets only these variables, the PATH and the places of your files. Secrets are kept with your keys.</source>
        <translation>O programa recebe só estas variáveis, o PATH e onde ficam seus arquivos. Os segredos ficam com suas chaves.</translation>
    </message>
    <message>
        <source>Add a tool server</source>
        <translation>Adicionar um servidor de ferramentas</translation>
    </message>
    <message>
        <source>Edit the tool server</source>
        <translation>Editar o servidor de ferramentas</translation>
    </message>
    <message>
        <source>For example: Notes</source>
        <translation>Por exemplo: Notas</translation>
    </message>
    <message>
        <source>Command or address</source>
        <translation>Comando ou endereço</translation>
    </message>
    <message>
        <source>Variables or headers</source>
        <translation>Variáveis ou cabeçalhos</translation>
    </message>
    <message>
        <source>Folder it runs in</source>
        <translation>Pasta em que é executado</translation>
    </message>
    <message>
        <source>An empty folder of its own</source>
        <translation>Uma pasta vazia só dele</translation>
    </message>
    <message>
        <source>Client ID</source>
        <translation>ID do cliente</translation>
    </message>
    <message>
        <source>Empty: ChatDesk registers itself</source>
        <translation>Vazio: o ChatDesk se registra sozinho</translation>
    </message>
    <message>
        <source>Client secret</source>
        <translation>Segredo do cliente</translation>
    </message>
    <message>
        <source>Empty: none</source>
        <translation>Vazio: nenhum</translation>
    </message>
    <message>
        <source>Unchanged</source>
        <translation>Inalterado</translation>
    </message>
    <message>
        <source>You can also paste the JSON of Claude Desktop, Cursor, VS Code or LM Studio here.</source>
        <translation>Você também pode colar aqui o JSON do Claude Desktop, Cursor, VS Code ou LM Studio.</translation>
    </message>
    <message>
        <source>Variables, or headers of an address, a line each</source>
        <translation>Variáveis, ou cabeçalhos de um endereço, um por linha</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>Pasta</translation>
    </message>
    <message>
        <source>File of the project</source>
        <translation>Arquivo do projeto</translation>
    </message>
    <message>
        <source>Client ID, if you registered one to sign in with</source>
        <translation>ID do cliente, se você registrou um para entrar</translation>
    </message>
    <message>
        <source>Filled in from the description of “{name}”.</source>
        <translation>Preenchido com a descrição de “{name}”.</translation>
    </message>
    <message>
        <source>Still to be filled in: {missing}.</source>
        <translation>Ainda a preencher: {missing}.</translation>
    </message>
    <message numerus="yes">
        <source>Once it is saved, {count} more servers follow.</source>
        <comment>Once it is saved, {count} more server follows.</comment>
        <translation>
            <numerusform>Depois de salvá-lo, segue mais {count} servidor.</numerusform>
            <numerusform>Depois de salvá-lo, seguem mais {count} servidores.</numerusform>
        </translation>
    </message>
    <message>
        <source>Give it a name.</source>
        <translation>Dê-lhe um nome.</translation>
    </message>
    <message>
        <source>Enter the command that starts it, or its address.</source>
        <translation>Digite o comando que o inicia, ou seu endereço.</translation>
    </message>
    <message>
        <source>A quotation mark of the command is not closed.</source>
        <translation>Uma aspa do comando não está fechada.</translation>
    </message>
    <message>
        <source>Write each line as NAME=value, not “{line}”.</source>
        <translation>Escreva cada linha como NAME=value, não “{line}”.</translation>
    </message>
    <message>
        <source>{name} asks you to sign in: Ctrl+Shift+Y.</source>
        <translation>{name} pede que você entre: Ctrl+Shift+Y.</translation>
    </message>
    <message>
        <source>Asking where to sign in…</source>
        <translation>Perguntando onde entrar…</translation>
    </message>
    <message>
        <source>Signed in. Ask again to use its tools.</source>
        <translation>Você entrou. Pergunte de novo para usar suas ferramentas.</translation>
    </message>
    <message>
        <source>Sign in…</source>
        <translation>Entrar…</translation>
    </message>
    <message>
        <source>{name} asks you to sign in</source>
        <translation>{name} pede que você entre</translation>
    </message>
    <message>
        <source>The tools of {address} are left out until you have signed in.</source>
        <translation>As ferramentas de {address} ficam de fora até você entrar.</translation>
    </message>
    <message>
        <source>Sign in at {host} in your browser, within five minutes.</source>
        <translation>Entre em {host} no seu navegador, dentro de cinco minutos.</translation>
    </message>
    <message>
        <source>Signed out here. The server was not told, or cannot withdraw a sign-in: end it in your account there.</source>
        <translation>Você saiu aqui. O servidor não foi avisado ou não pode retirar o acesso: encerre-o na sua conta lá.</translation>
    </message>
    <message>
        <source>Signing out…</source>
        <translation>Saindo…</translation>
    </message>
    <message>
        <source>It did not ask you to sign in.</source>
        <translation>Não pediu que você entrasse.</translation>
    </message>
    <message>
        <source>Remove {name}?</source>
        <translation>Remover {name}?</translation>
    </message>
    <message>
        <source>Its tools are gone from all threads, with its secrets and what you allowed. Threads keep what it answered.</source>
        <translation>Suas ferramentas somem de todas as conversas, com seus segredos e o que você permitiu. As conversas mantêm o que ele respondeu.</translation>
    </message>
    <message>
        <source>What models can use to read files, search and act. Nothing runs before you allow it.</source>
        <translation>O que os modelos podem usar para ler arquivos, buscar e agir. Nada é executado antes de você permitir.</translation>
    </message>
    <message>
        <source>No other server is set up.</source>
        <translation>Nenhum outro servidor está configurado.</translation>
    </message>
    <message>
        <source>ChatDesk asks about every call.</source>
        <translation>O ChatDesk pergunta a cada chamada.</translation>
    </message>
    <message>
        <source>Found</source>
        <translation>Encontrado</translation>
    </message>
    <message>
        <source>Started</source>
        <translation>Iniciado</translation>
    </message>
    <message>
        <source>Speaks the protocol</source>
        <translation>Fala o protocolo</translation>
    </message>
    <message>
        <source>Lists its tools</source>
        <translation>Lista suas ferramentas</translation>
    </message>
    <message>
        <source>in one project</source>
        <translation>em um projeto</translation>
    </message>
    <message>
        <source>see and change what ChatDesk remembers</source>
        <translation>ver e alterar o que o ChatDesk memoriza</translation>
    </message>
    <message>
        <source>list the facts that are remembered</source>
        <translation>listar os fatos memorizados</translation>
    </message>
    <message>
        <source>remember a fact</source>
        <translation>memorizar um fato</translation>
    </message>
    <message>
        <source>change the words of a memory</source>
        <translation>alterar o texto de uma memória</translation>
    </message>
    <message>
        <source>delete memories for good</source>
        <translation>excluir memórias definitivamente</translation>
    </message>
    <message>
        <source>write all memories to a JSON file</source>
        <translation>gravar todas as memórias em um arquivo JSON</translation>
    </message>
    <message>
        <source>its id, as listed</source>
        <translation>seu id, como listado</translation>
    </message>
    <message>
        <source>one sentence</source>
        <translation>uma frase</translation>
    </message>
    <message>
        <source>only for this project, by its name or id</source>
        <translation>só para este projeto, pelo nome ou id</translation>
    </message>
    <message>
        <source>ids, as listed</source>
        <translation>ids, como listados</translation>
    </message>
    <message>
        <source>all memories</source>
        <translation>todas as memórias</translation>
    </message>
    <message>
        <source>the file to write</source>
        <translation>o arquivo a gravar</translation>
    </message>
    <message>
        <source>Name the memories to delete, or --all.</source>
        <translation>Indique as memórias a excluir, ou --all.</translation>
    </message>
    <message>
        <source>Change the memories in its window, or close it first.</source>
        <translation>Altere as memórias na janela dele, ou feche-a primeiro.</translation>
    </message>
    <message>
        <source>everywhere</source>
        <translation>em toda parte</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent.</source>
        <translation>A memória está desligada: nada é mantido nem enviado.</translation>
    </message>
    <message>
        <source>This was remembered already.</source>
        <translation>Isto já estava memorizado.</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories deleted</source>
        <comment>{count} memory deleted</comment>
        <translation>
            <numerusform>{count} memória excluída</numerusform>
            <numerusform>{count} memórias excluídas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} memories written</source>
        <comment>{count} memory written</comment>
        <translation>
            <numerusform>{count} memória gravada</numerusform>
            <numerusform>{count} memórias gravadas</numerusform>
        </translation>
    </message>
    <message>
        <source>in one project, also after text from outside</source>
        <translation>em um projeto, também depois de texto de fora</translation>
    </message>
    <message>
        <source>everywhere, also after text from outside</source>
        <translation>em toda parte, também depois de texto de fora</translation>
    </message>
    <message>
        <source>Add server…</source>
        <translation>Adicionar servidor…</translation>
    </message>
    <message>
        <source>Allowed without asking</source>
        <translation>Permitido sem perguntar</translation>
    </message>
    <message>
        <source>{tool} of {server}</source>
        <translation>{tool} de {server}</translation>
    </message>
    <message>
        <source>{scope} · since {when}</source>
        <translation>{scope} · desde {when}</translation>
    </message>
    <message>
        <source>Ask again</source>
        <translation>Perguntar de novo</translation>
    </message>
    <message>
        <source>Models can look things up in your earlier threads.</source>
        <translation>Os modelos podem consultar suas conversas anteriores.</translation>
    </message>
    <message>
        <source>Ask again about {title}</source>
        <translation>Perguntar de novo sobre {title}</translation>
    </message>
    <message>
        <source>Search engine…</source>
        <translation>Mecanismo de busca…</translation>
    </message>
    <message>
        <source>It wrote: {tail}</source>
        <translation>Escreveu: {tail}</translation>
    </message>
    <message>
        <source>Models can read the files of a project&apos;s folder, and propose changes to them.</source>
        <translation>Os modelos podem ler os arquivos da pasta de um projeto e propor alterações neles.</translation>
    </message>
    <message>
        <source>in one thread</source>
        <translation>em uma conversa</translation>
    </message>
    <message>
        <source>in one thread, also after text from outside</source>
        <translation>em uma conversa, também depois de texto de fora</translation>
    </message>
    <message>
        <source>May ask your model for an answer, if you agree each time</source>
        <translation>Pode pedir uma resposta ao seu modelo, se você concordar a cada vez</translation>
    </message>
    <message>
        <source>Sign out</source>
        <translation>Sair da conta</translation>
    </message>
    <message>
        <source>Sign out of {name}</source>
        <translation>Sair da conta em {name}</translation>
    </message>
    <message>
        <source>Sign in to {name}</source>
        <translation>Entrar em {name}</translation>
    </message>
    <message>
        <source>Test {name}</source>
        <translation>Testar {name}</translation>
    </message>
    <message>
        <source>Edit {name}</source>
        <translation>Editar {name}</translation>
    </message>
    <message>
        <source>Choose the search engine</source>
        <translation>Escolher o mecanismo de busca</translation>
    </message>
    <message numerus="yes">
        <source>{count} tools</source>
        <comment>{count} tool</comment>
        <translation>
            <numerusform>{count} ferramenta</numerusform>
            <numerusform>{count} ferramentas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Running, {count} tools</source>
        <comment>Running, {count} tool</comment>
        <translation>
            <numerusform>Em execução, {count} ferramenta</numerusform>
            <numerusform>Em execução, {count} ferramentas</numerusform>
        </translation>
    </message>
    <message>
        <source>It failed.</source>
        <translation>Falhou.</translation>
    </message>
    <message>
        <source>Starts when it is needed</source>
        <translation>Inicia quando for preciso</translation>
    </message>
    <message>
        <source>Markdown (*.md)</source>
        <translation>Markdown (*.md)</translation>
    </message>
    <message>
        <source>Web page (*.html)</source>
        <translation>Página da web (*.html)</translation>
    </message>
    <message>
        <source>PDF (*.pdf)</source>
        <translation>PDF (*.pdf)</translation>
    </message>
    <message>
        <source>ChatDesk&apos;s JSON with attachments (*.zip);;ChatDesk&apos;s JSON (*.json)</source>
        <translation>JSON do ChatDesk com anexos (*.zip);;JSON do ChatDesk (*.json)</translation>
    </message>
    <message>
        <source>The project</source>
        <translation>O projeto</translation>
    </message>
    <message numerus="yes">
        <source>These {count} threads</source>
        <comment>This thread</comment>
        <translation>
            <numerusform>Esta conversa</numerusform>
            <numerusform>Estas {count} conversas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The thread has {count} messages, too many for the clipboard. Export it instead.</source>
        <comment>The thread has {count} message, too many for the clipboard. Export it instead.</comment>
        <translation>
            <numerusform>A conversa tem {count} mensagem, demais para a área de transferência. Exporte-a em vez disso.</numerusform>
            <numerusform>A conversa tem {count} mensagens, demais para a área de transferência. Exporte-a em vez disso.</numerusform>
        </translation>
    </message>
    <message>
        <source>The thread is in the clipboard, as Markdown</source>
        <translation>A conversa está na área de transferência, como Markdown</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>Exportar</translation>
    </message>
    <message>
        <source>Folder to export into</source>
        <translation>Pasta para onde exportar</translation>
    </message>
    <message>
        <source>The export was cancelled; nothing was left behind.</source>
        <translation>A exportação foi cancelada; nada foi deixado para trás.</translation>
    </message>
    <message>
        <source>Exporting</source>
        <translation>Exportando</translation>
    </message>
    <message>
        <source>Reading…</source>
        <translation>Lendo…</translation>
    </message>
    <message numerus="yes">
        <source>{done} of {count} messages</source>
        <comment>{done} of {count} message</comment>
        <translation>
            <numerusform>{done} de {count} mensagem</numerusform>
            <numerusform>{done} de {count} mensagens</numerusform>
        </translation>
    </message>
    <message>
        <source>For editors and notes. One file a thread, attachments in a folder beside it.</source>
        <translation>Para editores e notas. Um arquivo por conversa, anexos em uma pasta ao lado.</translation>
    </message>
    <message>
        <source>Web page</source>
        <translation>Página da web</translation>
    </message>
    <message>
        <source>One file with everything in it, to read and to print.</source>
        <translation>Um arquivo com tudo nele, para ler e imprimir.</translation>
    </message>
    <message>
        <source>For paper and for sending on.</source>
        <translation>Para papel e para repassar.</translation>
    </message>
    <message>
        <source>JSON with attachments (zip)</source>
        <translation>JSON com anexos (zip)</translation>
    </message>
    <message>
        <source>Everything, other versions too. ChatDesk can import it again.</source>
        <translation>Tudo, também outras versões. O ChatDesk pode importá-lo de novo.</translation>
    </message>
    <message>
        <source>What to export</source>
        <translation>O que exportar</translation>
    </message>
    <message>
        <source>Include the trash</source>
        <translation>Incluir a lixeira</translation>
    </message>
    <message>
        <source>Choose where…</source>
        <translation>Escolher onde…</translation>
    </message>
    <message>
        <source>In ChatGPT open Settings, Data controls, and choose Export data. A link to a zip file comes by e-mail. Choose that file here, as it is.</source>
        <translation>No ChatGPT, abra Settings, Data controls e escolha Export data. Um link para um arquivo zip chega por e-mail. Escolha esse arquivo aqui, como está.</translation>
    </message>
    <message>
        <source>In Claude open Settings, Privacy, and choose Export data. A link to a zip file comes by e-mail. Choose that file here, as it is.</source>
        <translation>No Claude, abra Settings, Privacy e escolha Export data. Um link para um arquivo zip chega por e-mail. Escolha esse arquivo aqui, como está.</translation>
    </message>
    <message>
        <source>In Google Takeout choose My Activity alone, in it Gemini Apps alone, and JSON as the format. A link to a zip file comes by e-mail. Choose that file here, as it is.</source>
        <translation>No Google Takeout, escolha só Minha atividade, nela só Apps do Gemini, e JSON como formato. Um link para um arquivo zip chega por e-mail. Escolha esse arquivo aqui, como está.</translation>
    </message>
    <message>
        <source>In Open WebUI open Settings, Chats, and choose Export Chats. It saves a JSON file: choose it here.</source>
        <translation>No Open WebUI, abra Settings, Chats e escolha Export Chats. Ele salva um arquivo JSON: escolha-o aqui.</translation>
    </message>
    <message>
        <source>In LibreChat open a conversation, choose Export in its menu, and JSON as the format. Choose that file here.</source>
        <translation>No LibreChat, abra uma conversa, escolha Export no menu dela e JSON como formato. Escolha esse arquivo aqui.</translation>
    </message>
    <message>
        <source>In AnythingLLM open Settings, Admin, Workspace Chats, and choose Export, then JSON. Choose that file here. CSV and JSONL are read as well, with less in them.</source>
        <translation>No AnythingLLM, abra Settings, Admin, Workspace Chats e escolha Export, depois JSON. Escolha esse arquivo aqui. CSV e JSONL também são lidos, com menos conteúdo.</translation>
    </message>
    <message>
        <source>In Chatbox open Settings, General, Data Backup. Tick Chat History and choose Export Selected Data. Choose that file here.</source>
        <translation>No Chatbox, abra Settings, General, Data Backup. Marque Chat History e escolha Export Selected Data. Escolha esse arquivo aqui.</translation>
    </message>
    <message>
        <source>In Cherry Studio open Settings, Data Settings. Choose Export to Phone and export to a file; in older versions choose Backup. Choose that zip file here.</source>
        <translation>No Cherry Studio, abra Settings, Data Settings. Escolha Export to Phone e exporte para um arquivo; em versões mais antigas, escolha Backup. Escolha esse arquivo zip aqui.</translation>
    </message>
    <message>
        <source>In Jan open Settings, General, and show the data folder. Choose the folder “threads” in it here.</source>
        <translation>No Jan, abra Settings, General e mostre a pasta de dados. Escolha aqui a pasta “threads” dentro dela.</translation>
    </message>
    <message>
        <source>Choose the folder “conversations” here. It is in the folder “.lmstudio” of your home folder; LM Studio shows it when you choose Reveal in the menu of a chat.</source>
        <translation>Escolha aqui a pasta “conversations”. Ela está na pasta “.lmstudio” da sua pasta pessoal; o LM Studio a mostra quando você escolhe Reveal no menu de um chat.</translation>
    </message>
    <message>
        <source>In the other ChatDesk choose Export… in the menu of a thread, then Everything, and JSON. Choose that zip file here.</source>
        <translation>No outro ChatDesk, escolha Exportar… no menu de uma conversa, depois Tudo e JSON. Escolha esse arquivo zip aqui.</translation>
    </message>
    <message>
        <source>Import or attach?</source>
        <translation>Importar ou anexar?</translation>
    </message>
    <message>
        <source>“{name}” looks like an export of chats. Import its threads, or attach the file to your message?</source>
        <translation>“{name}” parece uma exportação de chats. Importar suas conversas ou anexar o arquivo à sua mensagem?</translation>
    </message>
    <message>
        <source>Import</source>
        <translation>Importar</translation>
    </message>
    <message>
        <source>Attach</source>
        <translation>Anexar</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>Relatório</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories are kept</source>
        <comment>{count} memory is kept</comment>
        <translation>
            <numerusform>{count} memória está guardada</numerusform>
            <numerusform>{count} memórias estão guardadas</numerusform>
        </translation>
    </message>
    <message>
        <source>The report is in the clipboard</source>
        <translation>O relatório está na área de transferência</translation>
    </message>
    <message>
        <source>Exports (*.zip *.json *.jsonl *.csv);;All files (*)</source>
        <translation>Exportações (*.zip *.json *.jsonl *.csv);;Todos os arquivos (*)</translation>
    </message>
    <message>
        <source>One named after the program</source>
        <translation>Um com o nome do programa</translation>
    </message>
    <message>
        <source>Looking into the file…</source>
        <translation>Examinando o arquivo …</translation>
    </message>
    <message>
        <source>Import a folder</source>
        <translation>Importar uma pasta</translation>
    </message>
    <message>
        <source>{name} is chosen. Import starts it.</source>
        <translation>{name} foi escolhido. Importar inicia a importação.</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>Parando …</translation>
    </message>
    <message>
        <source>What is here already stays as it is, so a newer export of the same chats can be imported at any time.</source>
        <translation>O que já está aqui fica como está, então uma exportação mais nova dos mesmos chats pode ser importada a qualquer momento.</translation>
    </message>
    <message>
        <source>Import a file…</source>
        <translation>Importar um arquivo…</translation>
    </message>
    <message>
        <source>Import a folder…</source>
        <translation>Importar uma pasta…</translation>
    </message>
    <message>
        <source>Project for the imported threads</source>
        <translation>Projeto para as conversas importadas</translation>
    </message>
    <message>
        <source>Into project</source>
        <translation>Para o projeto</translation>
    </message>
    <message>
        <source>Program that the chats come from</source>
        <translation>Programa de onde vêm os chats</translation>
    </message>
    <message>
        <source>Chats from</source>
        <translation>Chats de</translation>
    </message>
    <message>
        <source>Open {program}</source>
        <translation>Abrir {program}</translation>
    </message>
    <message>
        <source>Progress of the import</source>
        <translation>Andamento da importação</translation>
    </message>
    <message>
        <source>You can go on working: the import does not need this window. What is imported already stays if you stop.</source>
        <translation>Você pode continuar trabalhando: a importação não precisa desta janela. O que já foi importado fica se você parar.</translation>
    </message>
    <message>
        <source>Hide</source>
        <translation>Ocultar</translation>
    </message>
    <message>
        <source>Result of each thread</source>
        <translation>Resultado de cada conversa</translation>
    </message>
    <message>
        <source>ChatDesk {version} is available.</source>
        <translation>O ChatDesk {version} está disponível.</translation>
    </message>
    <message>
        <source>This is ChatDesk {version}.</source>
        <translation>Este é o ChatDesk {version}.</translation>
    </message>
    <message>
        <source>Look now</source>
        <translation>Procurar agora</translation>
    </message>
    <message>
        <source>Open the page</source>
        <translation>Abrir a página</translation>
    </message>
    <message>
        <source>ChatDesk {version} is the newest version.</source>
        <translation>O ChatDesk {version} é a versão mais nova.</translation>
    </message>
    <message>
        <source>ChatDesk {new} is available; you have {version}.</source>
        <translation>O ChatDesk {new} está disponível; você tem {version}.</translation>
    </message>
    <message>
        <source>Looking for a new version…</source>
        <translation>Procurando uma nova versão…</translation>
    </message>
    <message>
        <source>Tokens a day</source>
        <translation>Tokens por dia</translation>
    </message>
    <message>
        <source>Tokens a month</source>
        <translation>Tokens por mês</translation>
    </message>
    <message>
        <source>Dollars a day</source>
        <translation>Dólares por dia</translation>
    </message>
    <message>
        <source>Dollars a month</source>
        <translation>Dólares por mês</translation>
    </message>
    <message>
        <source>At the warning you get one note a day, and titles and summaries wait. At the stop nothing more is sent: your question is kept, and you can send it anyway. A model without a price counts as free here. Messages have a rate, such as 20/min or 200/day: further ones wait their turn.</source>
        <translation>No aviso, você recebe uma nota por dia, e títulos e resumos esperam. Na parada, nada mais é enviado: sua pergunta é mantida, e você pode enviá-la mesmo assim. Um modelo sem preço conta aqui como gratuito. Mensagens têm uma taxa, como 20/min ou 200/day: outras esperam sua vez.</translation>
    </message>
    <message>
        <source>Add a limit</source>
        <translation>Adicionar um limite</translation>
    </message>
    <message>
        <source>Two rates apply to the same provider or project. Remove one of them.</source>
        <translation>Duas taxas valem para o mesmo provedor ou projeto. Remova uma delas.</translation>
    </message>
    <message>
        <source>Remove limit {number}</source>
        <translation>Remover o limite {number}</translation>
    </message>
    <message>
        <source>Warning at</source>
        <translation>Aviso em</translation>
    </message>
    <message>
        <source>Stop at</source>
        <translation>Parada em</translation>
    </message>
    <message>
        <source>At most</source>
        <translation>No máximo</translation>
    </message>
    <message>
        <source>“{typed}” is not a rate ({where}): {why}.</source>
        <translation>“{typed}” não é uma taxa ({where}): {why}.</translation>
    </message>
    <message>
        <source>Limit {number}, for</source>
        <translation>Limite {number}, para</translation>
    </message>
    <message>
        <source>Limit {number}, of</source>
        <translation>Limite {number}, de</translation>
    </message>
    <message>
        <source>Limit {number}, warning at</source>
        <translation>Limite {number}, aviso em</translation>
    </message>
    <message>
        <source>Limit {number}, stop at</source>
        <translation>Limite {number}, parada em</translation>
    </message>
    <message>
        <source>No warning</source>
        <translation>Sem aviso</translation>
    </message>
    <message>
        <source>No stop</source>
        <translation>Sem parada</translation>
    </message>
    <message>
        <source>“{typed}” is not a number ({where}). Write it as 100000 or 2.50.</source>
        <translation>“{typed}” não é um número ({where}). Escreva-o como 100000 ou 2.50.</translation>
    </message>
    <message>
        <source>It is sent when the answer before it is complete.</source>
        <translation>É enviada quando a resposta anterior estiver completa.</translation>
    </message>
    <message>
        <source>The answer before it was not completed. Go to it to send it now.</source>
        <translation>A resposta anterior não foi concluída. Vá até ela para enviar agora.</translation>
    </message>
    <message>
        <source>You are offline. It is sent when the connection is back.</source>
        <translation>Você está offline. É enviada quando a conexão voltar.</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages wait</source>
        <comment>{count} message waits</comment>
        <translation>
            <numerusform>{count} mensagem espera</numerusform>
            <numerusform>{count} mensagens esperam</numerusform>
        </translation>
    </message>
    <message>
        <source>ChatDesk usage {first} to {last}.csv</source>
        <translation>Uso do ChatDesk {first} a {last}.csv</translation>
    </message>
    <message>
        <source>Export usage</source>
        <translation>Exportar uso</translation>
    </message>
    <message>
        <source>CSV (*.csv)</source>
        <translation>CSV (*.csv)</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines were written to {name}</source>
        <comment>{count} line was written to {name}</comment>
        <translation>
            <numerusform>{count} linha foi gravada em {name}</numerusform>
            <numerusform>{count} linhas foram gravadas em {name}</numerusform>
        </translation>
    </message>
    <message>
        <source>{amount} used</source>
        <translation>{amount} usados</translation>
    </message>
    <message>
        <source>It is sent in a moment.</source>
        <translation>É enviada em um momento.</translation>
    </message>
    <message>
        <source>Waiting: sends at {clock}, {before} before it.</source>
        <translation>Em espera: envio às {clock}, {before} antes dela.</translation>
    </message>
    <message>
        <source>Waiting: sends at {clock}.</source>
        <translation>Em espera: envio às {clock}.</translation>
    </message>
    <message>
        <source>Waiting: it is sent automatically, {before} before it.</source>
        <translation>Em espera: é enviada automaticamente, {before} antes dela.</translation>
    </message>
    <message>
        <source>Waiting: it is sent automatically.</source>
        <translation>Em espera: é enviada automaticamente.</translation>
    </message>
    <message>
        <source>{time} on {day}</source>
        <translation>{time} em {day}</translation>
    </message>
    <message>
        <source>Waiting to be sent</source>
        <translation>À espera de envio</translation>
    </message>
    <message>
        <source>Go to it</source>
        <translation>Ir até ela</translation>
    </message>
    <message>
        <source>Go to {about}</source>
        <translation>Ir até {about}</translation>
    </message>
    <message>
        <source>Send first</source>
        <translation>Enviar primeiro</translation>
    </message>
    <message>
        <source>Send first: {about}</source>
        <translation>Enviar primeiro: {about}</translation>
    </message>
    <message>
        <source>Cancel {about}</source>
        <translation>Cancelar {about}</translation>
    </message>
    <message>
        <source>Nothing waits.</source>
        <translation>Nada espera.</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages wait. What is cancelled is not sent; the question is kept.</source>
        <comment>{count} message waits. What is cancelled is not sent; the question is kept.</comment>
        <translation>
            <numerusform>{count} mensagem espera. O que é cancelado não é enviado; a pergunta é mantida.</numerusform>
            <numerusform>{count} mensagens esperam. O que é cancelado não é enviado; a pergunta é mantida.</numerusform>
        </translation>
    </message>
    <message>
        <source>{problem} Nothing was kept.</source>
        <translation>{problem} Nada foi guardado.</translation>
    </message>
    <message>
        <source>{label} is kept. It cannot answer before it has a key.</source>
        <translation>{label} foi guardado. Não pode responder antes de ter uma chave.</translation>
    </message>
    <message>
        <source>{label} is connected.</source>
        <translation>{label} está conectado.</translation>
    </message>
    <message>
        <source>{label} is connected. {model} answers.</source>
        <translation>{label} está conectado. {model} responde.</translation>
    </message>
    <message>
        <source>Paste the key of a provider, or choose a server of your own. It is tested before it is kept.</source>
        <translation>Cole a chave de um provedor ou escolha um servidor seu. É testada antes de ser guardada.</translation>
    </message>
    <message>
        <source>All providers…</source>
        <translation>Todos os provedores…</translation>
    </message>
    <message>
        <source>Provider</source>
        <translation>Provedor</translation>
    </message>
    <message>
        <source>Own server…</source>
        <translation>Servidor próprio…</translation>
    </message>
    <message>
        <source>Address of the server</source>
        <translation>Endereço do servidor</translation>
    </message>
    <message>
        <source>Connect</source>
        <translation>Conectar</translation>
    </message>
    <message>
        <source>Save without a test</source>
        <translation>Salvar sem testar</translation>
    </message>
    <message>
        <source>Found on this computer:</source>
        <translation>Encontrados neste computador:</translation>
    </message>
    <message>
        <source>Use {label}, {models}</source>
        <translation>Usar {label}, {models}</translation>
    </message>
    <message>
        <source>Found on this computer: {servers}</source>
        <translation>Encontrados neste computador: {servers}</translation>
    </message>
    <message>
        <source>Paste the key that {label} gave you.</source>
        <translation>Cole a chave que {label} deu a você.</translation>
    </message>
    <message>
        <source>This is a key of {label}</source>
        <translation>Esta é uma chave de {label}</translation>
    </message>
    <message>
        <source>First steps</source>
        <translation>Primeiros passos</translation>
    </message>
    <message>
        <source>Take the tour</source>
        <translation>Fazer o tour</translation>
    </message>
    <message>
        <source>Welcome to ChatDesk</source>
        <translation>Boas-vindas ao ChatDesk</translation>
    </message>
    <message>
        <source>Connect a model to begin. Your chats stay on this computer.</source>
        <translation>Conecte um modelo para começar. Seus chats ficam neste computador.</translation>
    </message>
    <message>
        <source>More…</source>
        <translation>Mais…</translation>
    </message>
    <message>
        <source>Connect a provider</source>
        <translation>Conectar um provedor</translation>
    </message>
    <message>
        <source>Import your chats</source>
        <translation>Importar seus chats</translation>
    </message>
    <message>
        <source>Choose where they are now: the next page says how to get them out.</source>
        <translation>Escolha onde eles estão agora: a próxima página diz como tirá-los de lá.</translation>
    </message>
    <message>
        <source>Import from {program}</source>
        <translation>Importar de {program}</translation>
    </message>
    <message>
        <source>No account and no network: the demo model shows what ChatDesk can do.</source>
        <translation>Sem conta e sem rede: o modelo de demonstração mostra o que o ChatDesk pode fazer.</translation>
    </message>
    <message>
        <source>What can ChatDesk do?</source>
        <translation>O que o ChatDesk pode fazer?</translation>
    </message>
    <message>
        <source>The provider of this model is gone. Choose another model at the top.</source>
        <translation>O provedor deste modelo não existe mais. Escolha outro modelo no alto.</translation>
    </message>
    <message>
        <source>{label} has no key yet, so it cannot answer. Put it into Settings, Providers, or choose another model at the top.</source>
        <translation>{label} ainda não tem chave, então não pode responder. Ponha-a em Configurações, Provedores, ou escolha outro modelo no alto.</translation>
    </message>
    <message>
        <source>The demo model answers, without account or network. It shows what ChatDesk can do.</source>
        <translation>O modelo de demonstração responde, sem conta nem rede. Ele mostra o que o ChatDesk pode fazer.</translation>
    </message>
    <message>
        <source>{who} answers. Choose another model at the top.</source>
        <translation>{who} responde. Escolha outro modelo no alto.</translation>
    </message>
    <message>
        <source>Text of the artifact</source>
        <translation>Texto do artefato</translation>
    </message>
    <message>
        <source>Ctrl+Enter saves a version, Esc leaves. Tab writes a tab.</source>
        <translation>Ctrl+Enter salva uma versão, Esc sai. Tab escreve uma tabulação.</translation>
    </message>
    <message numerus="yes">
        <source>{count} rows</source>
        <comment>{count} row</comment>
        <translation>
            <numerusform>{count} linha</numerusform>
            <numerusform>{count} linhas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} columns</source>
        <comment>{count} column</comment>
        <translation>
            <numerusform>{count} coluna</numerusform>
            <numerusform>{count} colunas</numerusform>
        </translation>
    </message>
    <message>
        <source>Ask for a change</source>
        <translation>Pedir uma alteração</translation>
    </message>
    <message>
        <source>Save…</source>
        <translation>Salvar…</translation>
    </message>
    <message>
        <source>Show in the thread</source>
        <translation>Mostrar na conversa</translation>
    </message>
    <message>
        <source>Remove from the list</source>
        <translation>Remover da lista</translation>
    </message>
    <message>
        <source>All artifacts</source>
        <translation>Todos os artefatos</translation>
    </message>
    <message>
        <source>Previous version of the artifact</source>
        <translation>Versão anterior do artefato</translation>
    </message>
    <message>
        <source>Next version of the artifact</source>
        <translation>Próxima versão do artefato</translation>
    </message>
    <message>
        <source>Source</source>
        <translation>Código-fonte</translation>
    </message>
    <message>
        <source>Differences</source>
        <translation>Diferenças</translation>
    </message>
    <message>
        <source>Save as version</source>
        <translation>Salvar como versão</translation>
    </message>
    <message>
        <source>{number} / {count}</source>
        <translation>{number} / {count}</translation>
    </message>
    <message>
        <source>Hide differences</source>
        <translation>Ocultar diferenças</translation>
    </message>
    <message>
        <source>Hide the differences</source>
        <translation>Ocultar as diferenças</translation>
    </message>
    <message>
        <source>Show what changed since version {number}</source>
        <translation>Mostrar o que mudou desde a versão {number}</translation>
    </message>
    <message>
        <source>Drawn</source>
        <translation>Desenhado</translation>
    </message>
    <message>
        <source>Show it drawn</source>
        <translation>Mostrar desenhado</translation>
    </message>
    <message>
        <source>Show its source</source>
        <translation>Mostrar o código-fonte</translation>
    </message>
    <message>
        <source>{name}, version {number} of {count}</source>
        <translation>{name}, versão {number} de {count}</translation>
    </message>
    <message>
        <source>A temporary chat keeps no artifacts, because they are stored on disk. Keep the chat to open some.</source>
        <translation>Um chat temporário não guarda artefatos, porque eles são guardados em disco. Mantenha o chat para abrir algum.</translation>
    </message>
    <message>
        <source>This thread has no artifacts yet. Files of its messages are listed here, and so is code that you open: code of 15 lines or more has “Open as artifact”, in its header and in the menu of its message.</source>
        <translation>Esta conversa ainda não tem artefatos. Arquivos de suas mensagens são listados aqui, e também código que você abre: código de 15 linhas ou mais tem “Abrir como artefato”, no cabeçalho e no menu de sua mensagem.</translation>
    </message>
    <message>
        <source>Artifacts of this thread</source>
        <translation>Artefatos desta conversa</translation>
    </message>
    <message numerus="yes">
        <source>{count} versions</source>
        <comment>{count} version</comment>
        <translation>
            <numerusform>{count} versão</numerusform>
            <numerusform>{count} versões</numerusform>
        </translation>
    </message>
    <message>
        <source>edited by you</source>
        <translation>editado por você</translation>
    </message>
    <message>
        <source>proposed change to a file</source>
        <translation>alteração proposta em um arquivo</translation>
    </message>
    <message>
        <source>from the tool {tool}</source>
        <translation>da ferramenta {tool}</translation>
    </message>
    <message>
        <source>attached to a question</source>
        <translation>anexado a uma pergunta</translation>
    </message>
    <message>
        <source>from a question</source>
        <translation>de uma pergunta</translation>
    </message>
    <message>
        <source>from an answer</source>
        <translation>de uma resposta</translation>
    </message>
    <message>
        <source>sent</source>
        <translation>enviada</translation>
    </message>
    <message>
        <source>in the summary</source>
        <translation>no resumo</translation>
    </message>
    <message>
        <source>excluded</source>
        <translation>excluída</translation>
    </message>
    <message>
        <source>did not fit</source>
        <translation>não coube</translation>
    </message>
    <message>
        <source>empty</source>
        <translation>vazia</translation>
    </message>
    <message>
        <source>user</source>
        <translation>usuário</translation>
    </message>
    <message>
        <source>assistant</source>
        <translation>assistente</translation>
    </message>
    <message>
        <source>system</source>
        <translation>sistema</translation>
    </message>
    <message>
        <source>tool</source>
        <translation>ferramenta</translation>
    </message>
    <message>
        <source>before the start of the context</source>
        <translation>antes do início do contexto</translation>
    </message>
    <message>
        <source>What the model will see</source>
        <translation>O que o modelo verá</translation>
    </message>
    <message>
        <source>What happens to each message</source>
        <translation>O que acontece com cada mensagem</translation>
    </message>
    <message>
        <source>Pin</source>
        <translation>Fixar</translation>
    </message>
    <message>
        <source>Exclude</source>
        <translation>Excluir</translation>
    </message>
    <message>
        <source>Start here</source>
        <translation>Começar aqui</translation>
    </message>
    <message>
        <source>Copy request as JSON</source>
        <translation>Copiar solicitação como JSON</translation>
    </message>
    <message>
        <source>Nothing yet: ask something.</source>
        <translation>Nada ainda: pergunte algo.</translation>
    </message>
    <message>
        <source>Unpin</source>
        <translation>Desafixar</translation>
    </message>
    <message>
        <source>Include</source>
        <translation>Incluir</translation>
    </message>
    <message>
        <source>Start at the top</source>
        <translation>Começar do alto</translation>
    </message>
    <message>
        <source>(no text)</source>
        <translation>(sem texto)</translation>
    </message>
    <message>
        <source>{about}: {text}</source>
        <translation>{about}: {text}</translation>
    </message>
    <message>
        <source>about {used} of {window} tokens · {model}</source>
        <translation>cerca de {used} de {window} tokens · {model}</translation>
    </message>
    <message>
        <source>{used} of {window} tokens · {model}</source>
        <translation>{used} de {window} tokens · {model}</translation>
    </message>
    <message>
        <source>pinned</source>
        <translation>fixada</translation>
    </message>
    <message numerus="yes">
        <source>{count} did not fit</source>
        <comment>{count} did not fit</comment>
        <translation>
            <numerusform>{count} não coube</numerusform>
            <numerusform>{count} não couberam</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} excluded</source>
        <comment>{count} excluded</comment>
        <translation>
            <numerusform>{count} excluída</numerusform>
            <numerusform>{count} excluídas</numerusform>
        </translation>
    </message>
    <message>
        <source>older messages are left out from where you started</source>
        <translation>mensagens mais antigas ficam de fora a partir de onde você começou</translation>
    </message>
    <message>
        <source>the summary is out of date and not sent</source>
        <translation>o resumo está desatualizado e não é enviado</translation>
    </message>
    <message>
        <source>{part}: {tokens}</source>
        <translation>{part}: {tokens}</translation>
    </message>
    <message>
        <source>Memories</source>
        <translation>Memórias</translation>
    </message>
    <message numerus="yes">
        <source>Summary of {count} messages</source>
        <comment>Summary of {count} message</comment>
        <translation>
            <numerusform>Resumo de {count} mensagem</numerusform>
            <numerusform>Resumo de {count} mensagens</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Pinned · {count} messages</source>
        <comment>Pinned · {count} message</comment>
        <translation>
            <numerusform>Fixadas · {count} mensagem</numerusform>
            <numerusform>Fixadas · {count} mensagens</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Recent · {count} messages</source>
        <comment>Recent · {count} message</comment>
        <translation>
            <numerusform>Recentes · {count} mensagem</numerusform>
            <numerusform>Recentes · {count} mensagens</numerusform>
        </translation>
    </message>
    <message>
        <source>Your draft</source>
        <translation>Seu rascunho</translation>
    </message>
    <message>
        <source>Room for the answer</source>
        <translation>Espaço para a resposta</translation>
    </message>
    <message>
        <source>Inspector</source>
        <translation>Inspetor</translation>
    </message>
    <message>
        <source>Inspector tabs</source>
        <translation>Abas do inspetor</translation>
    </message>
    <message>
        <source>Close the inspector</source>
        <translation>Fechar o inspetor</translation>
    </message>
    <message>
        <source>Filter the questions</source>
        <translation>Filtrar as perguntas</translation>
    </message>
    <message numerus="yes">
        <source>{count} questions</source>
        <comment>{count} question</comment>
        <translation>
            <numerusform>{count} pergunta</numerusform>
            <numerusform>{count} perguntas</numerusform>
        </translation>
    </message>
    <message>
        <source>Reading the thread…</source>
        <translation>Lendo a conversa…</translation>
    </message>
    <message>
        <source>No question contains these words.</source>
        <translation>Nenhuma pergunta contém estas palavras.</translation>
    </message>
    <message>
        <source>No question has been asked yet.</source>
        <translation>Nenhuma pergunta foi feita ainda.</translation>
    </message>
    <message numerus="yes">
        <source>about {count} tokens</source>
        <comment>about {count} token</comment>
        <translation>
            <numerusform>cerca de {count} token</numerusform>
            <numerusform>cerca de {count} tokens</numerusform>
        </translation>
    </message>
    <message>
        <source>one of its messages was edited</source>
        <translation>uma de suas mensagens foi editada</translation>
    </message>
    <message>
        <source>one of its messages was deleted</source>
        <translation>uma de suas mensagens foi excluída</translation>
    </message>
    <message>
        <source>another version of one of its messages is shown</source>
        <translation>outra versão de uma de suas mensagens é mostrada</translation>
    </message>
    <message>
        <source>one of its messages was excluded</source>
        <translation>uma de suas mensagens foi excluída do contexto</translation>
    </message>
    <message>
        <source>Question</source>
        <translation>Pergunta</translation>
    </message>
    <message>
        <source>Tool result</source>
        <translation>Resultado de ferramenta</translation>
    </message>
    <message>
        <source>Text of the summary</source>
        <translation>Texto do resumo</translation>
    </message>
    <message>
        <source>Kept word for word, a line each</source>
        <translation>Mantido palavra por palavra, uma linha cada</translation>
    </message>
    <message>
        <source>Facts that are kept word for word, a line each</source>
        <translation>Fatos mantidos palavra por palavra, uma linha cada</translation>
    </message>
    <message>
        <source>Summarise this thread</source>
        <translation>Resumir esta conversa</translation>
    </message>
    <message>
        <source>Summarise threads of this project</source>
        <translation>Resumir conversas deste projeto</translation>
    </message>
    <message>
        <source>Do not send</source>
        <translation>Não enviar</translation>
    </message>
    <message>
        <source>First source</source>
        <translation>Primeira fonte</translation>
    </message>
    <message>
        <source>Last source</source>
        <translation>Última fonte</translation>
    </message>
    <message>
        <source>There is no summary yet: it is made when the context fills.</source>
        <translation>Ainda não há resumo: ele é feito quando o contexto se enche.</translation>
    </message>
    <message>
        <source>Save the summary</source>
        <translation>Salvar o resumo</translation>
    </message>
    <message>
        <source>Edit the summary</source>
        <translation>Editar o resumo</translation>
    </message>
    <message>
        <source>Send again</source>
        <translation>Enviar de novo</translation>
    </message>
    <message numerus="yes">
        <source>Made from {count} messages</source>
        <comment>Made from {count} message</comment>
        <translation>
            <numerusform>Feito de {count} mensagem</numerusform>
            <numerusform>Feito de {count} mensagens</numerusform>
        </translation>
    </message>
    <message>
        <source>a model</source>
        <translation>um modelo</translation>
    </message>
    <message numerus="yes">
        <source>Version {version}, by {who}, {when}: {count} messages in {tokens} tokens.</source>
        <comment>Version {version}, by {who}, {when}: {count} message in {tokens} tokens.</comment>
        <translation>
            <numerusform>Versão {version}, por {who}, {when}: {count} mensagem em {tokens} tokens.</numerusform>
            <numerusform>Versão {version}, por {who}, {when}: {count} mensagens em {tokens} tokens.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Making it took {count} tokens.</source>
        <comment>Making it took {count} token.</comment>
        <translation>
            <numerusform>Fazê-lo gastou {count} token.</numerusform>
            <numerusform>Fazê-lo gastou {count} tokens.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Making it took {count} tokens ({price}).</source>
        <comment>Making it took {count} token ({price}).</comment>
        <translation>
            <numerusform>Fazê-lo gastou {count} token ({price}).</numerusform>
            <numerusform>Fazê-lo gastou {count} tokens ({price}).</numerusform>
        </translation>
    </message>
    <message>
        <source>Summaries are switched off in Settings, Context, for all threads.</source>
        <translation>Os resumos estão desligados em Configurações, Contexto, para todas as conversas.</translation>
    </message>
    <message>
        <source>No thread of this project is summarised.</source>
        <translation>Nenhuma conversa deste projeto é resumida.</translation>
    </message>
    <message>
        <source>Today&apos;s limit for titles and summaries is reached. Summaries are made again tomorrow.</source>
        <translation>O limite de hoje para títulos e resumos foi atingido. Resumos são feitos de novo amanhã.</translation>
    </message>
    <message>
        <source>Some of its messages are gone for good, so it is not sent.</source>
        <translation>Algumas de suas mensagens se foram definitivamente, então ele não é enviado.</translation>
    </message>
    <message>
        <source>It is not sent: you switched it off. Another one is made only when you redo it.</source>
        <translation>Não é enviado: você o desligou. Outro só é feito quando você o refaz.</translation>
    </message>
    <message>
        <source>It is out of date and not sent: {why}. Redo it to have it sent again.</source>
        <translation>Está desatualizado e não é enviado: {why}. Refaça-o para que seja enviado de novo.</translation>
    </message>
    <message>
        <source>It is out of date and not sent. Redo it to have it sent again.</source>
        <translation>Está desatualizado e não é enviado. Refaça-o para que seja enviado de novo.</translation>
    </message>
    <message>
        <source>Messages that the summary is made from</source>
        <translation>Mensagens de que o resumo é feito</translation>
    </message>
    <message>
        <source>All versions of this thread</source>
        <translation>Todas as versões desta conversa</translation>
    </message>
    <message>
        <source>{what} of {model}</source>
        <translation>{what} de {model}</translation>
    </message>
    <message>
        <source>version {number} of {count}</source>
        <translation>versão {number} de {count}</translation>
    </message>
    <message>
        <source>removed for good</source>
        <translation>removida definitivamente</translation>
    </message>
    <message>
        <source>shown</source>
        <translation>mostrada</translation>
    </message>
    <message>
        <source>{number}k</source>
        <translation>{number}k</translation>
    </message>
    <message>
        <source>{number}M</source>
        <translation>{number}M</translation>
    </message>
    <message>
        <source>at least {cost}</source>
        <translation>pelo menos {cost}</translation>
    </message>
    <message>
        <source>no price is known</source>
        <translation>não se conhece preço</translation>
    </message>
    <message>
        <source>In</source>
        <translation>Entrada</translation>
    </message>
    <message>
        <source>Cached</source>
        <translation>Cache</translation>
    </message>
    <message>
        <source>Of them from the provider&apos;s cache</source>
        <translation>Delas, do cache do provedor</translation>
    </message>
    <message>
        <source>Out</source>
        <translation>Saída</translation>
    </message>
    <message>
        <source>Thought</source>
        <translation>Raciocínio</translation>
    </message>
    <message>
        <source>Of them for reasoning</source>
        <translation>Deles, para raciocínio</translation>
    </message>
    <message>
        <source>Cost</source>
        <translation>Custo</translation>
    </message>
    <message>
        <source>What this thread used</source>
        <translation>O que esta conversa gastou</translation>
    </message>
    <message>
        <source>Add prices…</source>
        <translation>Adicionar preços…</translation>
    </message>
    <message>
        <source>Total</source>
        <translation>Total</translation>
    </message>
    <message>
        <source>{line}, {column}: {value}</source>
        <translation>{line}, {column}: {value}</translation>
    </message>
    <message>
        <source>Tokens and cost by kind of work and model</source>
        <translation>Tokens e custo por tipo de trabalho e modelo</translation>
    </message>
    <message numerus="yes">
        <source>{count} requests</source>
        <comment>{count} request</comment>
        <translation>
            <numerusform>{count} solicitação</numerusform>
            <numerusform>{count} solicitações</numerusform>
        </translation>
    </message>
    <message>
        <source>{tokens} in {requests}.</source>
        <translation>{tokens} em {requests}.</translation>
    </message>
    <message>
        <source>{tokens} in {requests}, {cost}.</source>
        <translation>{tokens} em {requests}, {cost}.</translation>
    </message>
    <message numerus="yes">
        <source>The tokens of {count} requests are estimates: the server did not count them.</source>
        <comment>The tokens of {count} request are estimates: the server did not count them.</comment>
        <translation>
            <numerusform>Os tokens de {count} solicitação são estimativas: o servidor não os contou.</numerusform>
            <numerusform>Os tokens de {count} solicitações são estimativas: o servidor não os contou.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens were stored in the provider&apos;s cache.</source>
        <comment>{count} token was stored in the provider&apos;s cache.</comment>
        <translation>
            <numerusform>{count} token foi guardado no cache do provedor.</numerusform>
            <numerusform>{count} tokens foram guardados no cache do provedor.</numerusform>
        </translation>
    </message>
    <message>
        <source>No price is known for {models}. The cost leaves it out.</source>
        <translation>Não se conhece preço para {models}. O custo não o inclui.</translation>
    </message>
    <message>
        <source>{month} {year}</source>
        <translation>{month} de {year}</translation>
    </message>
    <message>
        <source>{day} {month}</source>
        <translation>{day} de {month}</translation>
    </message>
    <message>
        <source>{day} {month} {year}</source>
        <translation>{day} de {month} de {year}</translation>
    </message>
    <message>
        <source>{day}, {time}</source>
        <translation>{day}, {time}</translation>
    </message>
    <message>
        <source>under {amount}</source>
        <translation>menos de {amount}</translation>
    </message>
    <message>
        <source>${amount}</source>
        <translation>US$&#xa0;{amount}</translation>
    </message>
    <message>
        <source>in threads with a tag</source>
        <translation>em conversas com uma etiqueta</translation>
    </message>
    <message>
        <source>written by you or by the model</source>
        <translation>escritas por você ou pelo modelo</translation>
    </message>
    <message>
        <source>answered by a model</source>
        <translation>respondidas por um modelo</translation>
    </message>
    <message>
        <source>before a day: 2026-05-01, yesterday, 7d</source>
        <translation>antes de um dia: 2026-05-01, yesterday, 7d</translation>
    </message>
    <message>
        <source>from a day on: 2026-05-01, yesterday, 7d</source>
        <translation>a partir de um dia: 2026-05-01, yesterday, 7d</translation>
    </message>
    <message>
        <source>with code, an image or a file</source>
        <translation>com código, uma imagem ou um arquivo</translation>
    </message>
    <message>
        <source>pinned, archived or trashed</source>
        <translation>fixadas, arquivadas ou na lixeira</translation>
    </message>
    <message>
        <source>Narrow with project: tag: role: model: before: after: has: is: and leave out with -word. &gt; lists commands.</source>
        <translation>Restrinja com project: tag: role: model: before: after: has: is: e deixe de fora com -palavra. &gt; lista comandos.</translation>
    </message>
    <message>
        <source>No command matches.</source>
        <translation>Nenhum comando corresponde.</translation>
    </message>
    <message>
        <source>Filters</source>
        <translation>Filtros</translation>
    </message>
    <message>
        <source>Filter {filter}</source>
        <translation>Filtro {filter}</translation>
    </message>
    <message>
        <source>Commands</source>
        <translation>Comandos</translation>
    </message>
    <message>
        <source>Search everything</source>
        <translation>Buscar em tudo</translation>
    </message>
    <message>
        <source>Results are below: up and down choose, Tab goes to the next group</source>
        <translation>Os resultados estão abaixo: setas para cima e para baixo escolhem, Tab vai para o próximo grupo</translation>
    </message>
    <message>
        <source>Search messages, threads, files and commands</source>
        <translation>Busque mensagens, conversas, arquivos e comandos</translation>
    </message>
    <message>
        <source>Results</source>
        <translation>Resultados</translation>
    </message>
    <message>
        <source>{found}. First: {row}</source>
        <extracomment>Spoken after a search: how much was found, and the first result, which Enter opens.</extracomment>
        <translation>{found}. Primeiro resultado: {row}</translation>
    </message>
    <message>
        <source>More messages…</source>
        <translation>Mais mensagens…</translation>
    </message>
    <message>
        <source>More threads…</source>
        <translation>Mais conversas…</translation>
    </message>
    <message>
        <source>More projects…</source>
        <translation>Mais projetos…</translation>
    </message>
    <message>
        <source>More tags…</source>
        <translation>Mais etiquetas…</translation>
    </message>
    <message>
        <source>More files…</source>
        <translation>Mais arquivos…</translation>
    </message>
    <message numerus="yes">
        <source>{count} tags</source>
        <comment>{count} tag</comment>
        <translation>
            <numerusform>{count} etiqueta</numerusform>
            <numerusform>{count} etiquetas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} files</source>
        <comment>{count} file</comment>
        <translation>
            <numerusform>{count} arquivo</numerusform>
            <numerusform>{count} arquivos</numerusform>
        </translation>
    </message>
    <message>
        <source>Tool</source>
        <translation>Ferramenta</translation>
    </message>
    <message>
        <source>Recent threads</source>
        <translation>Conversas recentes</translation>
    </message>
    <message>
        <source>more than {found}</source>
        <translation>mais de {found}</translation>
    </message>
    <message numerus="yes">
        <source>{count} commands</source>
        <comment>{count} command</comment>
        <translation>
            <numerusform>{count} comando</numerusform>
            <numerusform>{count} comandos</numerusform>
        </translation>
    </message>
    <message>
        <source>today</source>
        <translation>hoje</translation>
    </message>
    <message>
        <source>yesterday</source>
        <translation>ontem</translation>
    </message>
    <message>
        <source>All results for “{query}”</source>
        <translation>Todos os resultados de “{query}”</translation>
    </message>
    <message>
        <source>archived</source>
        <translation>arquivada</translation>
    </message>
    <message>
        <source>another version</source>
        <translation>outra versão</translation>
    </message>
    <message>
        <source>{what}, in {thread}</source>
        <translation>{what}, em {thread}</translation>
    </message>
    <message>
        <source>thread {name}</source>
        <translation>conversa {name}</translation>
    </message>
    <message>
        <source>project {name}</source>
        <translation>projeto {name}</translation>
    </message>
    <message>
        <source>tag {name}</source>
        <translation>etiqueta {name}</translation>
    </message>
    <message>
        <source>file {name}</source>
        <translation>arquivo {name}</translation>
    </message>
    <message numerus="yes">
        <source>more than {count} found in {took} ms</source>
        <comment>more than {count} found in {took} ms</comment>
        <translation>
            <numerusform>mais de {count} encontrado em {took} ms</numerusform>
            <numerusform>mais de {count} encontrados em {took} ms</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} found in {took} ms</source>
        <comment>{count} found in {took} ms</comment>
        <translation>
            <numerusform>{count} encontrado em {took} ms</numerusform>
            <numerusform>{count} encontrados em {took} ms</numerusform>
        </translation>
    </message>
    <message>
        <source>more than {count} found</source>
        <translation>mais de {count} encontrados</translation>
    </message>
    <message numerus="yes">
        <source>{count} found</source>
        <comment>{count} found</comment>
        <translation>
            <numerusform>{count} encontrado</numerusform>
            <numerusform>{count} encontrados</numerusform>
        </translation>
    </message>
    <message>
        <source>Opens the list of what waits</source>
        <translation>Abre a lista do que espera</translation>
    </message>
    <message>
        <source>Temporary chat, not stored</source>
        <translation>Chat temporário, não guardado</translation>
    </message>
    <message>
        <source>Opens the temporary chat</source>
        <translation>Abre o chat temporário</translation>
    </message>
    <message>
        <source>{title} (temporary: nothing is stored)</source>
        <translation>{title} (temporário: nada é guardado)</translation>
    </message>
    <message>
        <source>Sync</source>
        <translation>Sincronização</translation>
    </message>
    <message>
        <source>Opens the details of sync</source>
        <translation>Abre os detalhes da sincronização</translation>
    </message>
    <message numerus="yes">
        <source>{title}, project folder, {count} threads</source>
        <comment>{title}, project folder, {count} thread</comment>
        <translation>
            <numerusform>{title}, pasta de projeto, {count} conversa</numerusform>
            <numerusform>{title}, pasta de projeto, {count} conversas</numerusform>
        </translation>
    </message>
    <message>
        <source>By name</source>
        <translation>Por nome</translation>
    </message>
    <message>
        <source>Unknown time</source>
        <translation>Data desconhecida</translation>
    </message>
    <message>
        <source>Today</source>
        <translation>Hoje</translation>
    </message>
    <message>
        <source>Yesterday</source>
        <translation>Ontem</translation>
    </message>
    <message>
        <source>Previous 7 days</source>
        <translation>7 dias anteriores</translation>
    </message>
    <message>
        <source>Pinned</source>
        <comment>heading</comment>
        <translation>Fixadas</translation>
    </message>
    <message numerus="yes">
        <source>{count} days left</source>
        <comment>{count} day left</comment>
        <translation>
            <numerusform>{count} dia restante</numerusform>
            <numerusform>{count} dias restantes</numerusform>
        </translation>
    </message>
    <message>
        <source>today {time}</source>
        <translation>hoje {time}</translation>
    </message>
    <message>
        <source>Load the list of threads again</source>
        <translation>Carregar a lista de conversas de novo</translation>
    </message>
    <message>
        <source>Loading threads…</source>
        <translation>Carregando conversas…</translation>
    </message>
    <message>
        <source>Trash</source>
        <translation>Lixeira</translation>
    </message>
    <message>
        <source>You can only read this project</source>
        <translation>Você só pode ler este projeto</translation>
    </message>
    <message numerus="yes">
        <source>Mark {count} threads as read</source>
        <comment>Mark {count} thread as read</comment>
        <translation>
            <numerusform>Marcar {count} conversa como lida</numerusform>
            <numerusform>Marcar {count} conversas como lidas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Move {count} threads to a project…</source>
        <comment>Move {count} thread to a project…</comment>
        <translation>
            <numerusform>Mover {count} conversa para um projeto…</numerusform>
            <numerusform>Mover {count} conversas para um projeto…</numerusform>
        </translation>
    </message>
    <message>
        <source>Tags…</source>
        <translation>Etiquetas…</translation>
    </message>
    <message numerus="yes">
        <source>Export {count} threads…</source>
        <comment>Export {count} thread…</comment>
        <translation>
            <numerusform>Exportar {count} conversa…</numerusform>
            <numerusform>Exportar {count} conversas…</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads</source>
        <comment>Delete {count} thread</comment>
        <translation>
            <numerusform>Excluir {count} conversa</numerusform>
            <numerusform>Excluir {count} conversas</numerusform>
        </translation>
    </message>
    <message>
        <source>Sort by last activity</source>
        <translation>Ordenar por última atividade</translation>
    </message>
    <message>
        <source>Sort by name</source>
        <translation>Ordenar por nome</translation>
    </message>
    <message>
        <source>Group by date</source>
        <translation>Agrupar por data</translation>
    </message>
    <message>
        <source>Group by project</source>
        <translation>Agrupar por projeto</translation>
    </message>
    <message>
        <source>Show one tag</source>
        <translation>Mostrar uma etiqueta</translation>
    </message>
    <message>
        <source>All threads</source>
        <translation>Todas as conversas</translation>
    </message>
    <message>
        <source>Delete for good…</source>
        <translation>Excluir definitivamente…</translation>
    </message>
    <message numerus="yes">
        <source>Restore {count} threads</source>
        <comment>Restore {count} thread</comment>
        <translation>
            <numerusform>Restaurar {count} conversa</numerusform>
            <numerusform>Restaurar {count} conversas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads for good…</source>
        <comment>Delete {count} thread for good…</comment>
        <translation>
            <numerusform>Excluir {count} conversa definitivamente…</numerusform>
            <numerusform>Excluir {count} conversas definitivamente…</numerusform>
        </translation>
    </message>
    <message>
        <source>Unpin</source>
        <comment>thread</comment>
        <translation>Desafixar</translation>
    </message>
    <message>
        <source>Pin</source>
        <comment>thread</comment>
        <translation>Fixar</translation>
    </message>
    <message numerus="yes">
        <source>Unpin {count} threads</source>
        <comment>Unpin {count} thread</comment>
        <translation>
            <numerusform>Desafixar {count} conversa</numerusform>
            <numerusform>Desafixar {count} conversas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Pin {count} threads</source>
        <comment>Pin {count} thread</comment>
        <translation>
            <numerusform>Fixar {count} conversa</numerusform>
            <numerusform>Fixar {count} conversas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Move {count} threads out of the archive</source>
        <comment>Move {count} thread out of the archive</comment>
        <translation>
            <numerusform>Desarquivar {count} conversa</numerusform>
            <numerusform>Desarquivar {count} conversas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Archive {count} threads</source>
        <comment>Archive {count} thread</comment>
        <translation>
            <numerusform>Arquivar {count} conversa</numerusform>
            <numerusform>Arquivar {count} conversas</numerusform>
        </translation>
    </message>
    <message>
        <source>Project {name}, {shared}</source>
        <translation>Projeto {name}, {shared}</translation>
    </message>
    <message>
        <source>Opens the list of projects</source>
        <translation>Abre a lista de projetos</translation>
    </message>
    <message>
        <source>deleted {when}</source>
        <translation>excluída {when}</translation>
    </message>
    <message numerus="yes">
        <source>{count} unread</source>
        <comment>{count} unread</comment>
        <translation>
            <numerusform>{count} não lida</numerusform>
            <numerusform>{count} não lidas</numerusform>
        </translation>
    </message>
    <message>
        <source>tagged {tags}</source>
        <translation>com as etiquetas {tags}</translation>
    </message>
    <message>
        <source>pinned</source>
        <comment>thread</comment>
        <translation>fixada</translation>
    </message>
    <message>
        <source>answer is being written</source>
        <translation>a resposta está sendo escrita</translation>
    </message>
    <message>
        <source>Marked threads</source>
        <translation>Conversas marcadas</translation>
    </message>
    <message>
        <source>Mark nothing</source>
        <translation>Desmarcar tudo</translation>
    </message>
    <message numerus="yes">
        <source>{count} marked</source>
        <comment>{count} marked</comment>
        <translation>
            <numerusform>{count} marcada</numerusform>
            <numerusform>{count} marcadas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads are marked</source>
        <comment>{count} thread is marked</comment>
        <translation>
            <numerusform>{count} conversa está marcada</numerusform>
            <numerusform>{count} conversas estão marcadas</numerusform>
        </translation>
    </message>
    <message>
        <source>Sidebar</source>
        <translation>Barra lateral</translation>
    </message>
    <message>
        <source>New thread (Ctrl+N)</source>
        <translation>Nova conversa (Ctrl+N)</translation>
    </message>
    <message>
        <source>Settings (Ctrl+,)</source>
        <translation>Configurações (Ctrl+,)</translation>
    </message>
    <message>
        <source>Threads, archive or trash</source>
        <translation>Conversas, arquivadas ou lixeira</translation>
    </message>
    <message>
        <source>Opening…</source>
        <translation>Abrindo…</translation>
    </message>
    <message>
        <source>Status: {text}</source>
        <translation>Status: {text}</translation>
    </message>
    <message>
        <source>{what}: {text}</source>
        <translation>{what}: {text}</translation>
    </message>
    <message>
        <source>Title of the thread</source>
        <translation>Título da conversa</translation>
    </message>
    <message>
        <source>No thread here has the tag “{tag}”.</source>
        <translation>Nenhuma conversa aqui tem a etiqueta “{tag}”.</translation>
    </message>
    <message>
        <source>Nothing is archived.</source>
        <translation>Nada está arquivado.</translation>
    </message>
    <message numerus="yes">
        <source>No thread is in the trash. Deleted threads and messages stay here for {count} days.</source>
        <comment>No thread is in the trash. Deleted threads and messages stay here for {count} day.</comment>
        <translation>
            <numerusform>Nenhuma conversa está na lixeira. Conversas e mensagens excluídas ficam aqui por {count} dia.</numerusform>
            <numerusform>Nenhuma conversa está na lixeira. Conversas e mensagens excluídas ficam aqui por {count} dias.</numerusform>
        </translation>
    </message>
    <message>
        <source>No threads in this project yet. Type a question to begin the first.</source>
        <translation>Ainda não há conversas neste projeto. Digite uma pergunta para começar a primeira.</translation>
    </message>
    <message>
        <source>No threads yet. Type a question to begin the first.</source>
        <translation>Ainda não há conversas. Digite uma pergunta para começar a primeira.</translation>
    </message>
    <message>
        <source>{list} · back to threads</source>
        <translation>{list} · voltar às conversas</translation>
    </message>
    <message>
        <source>{list} with “{tag}” · show all</source>
        <translation>{list} com “{tag}” · mostrar todas</translation>
    </message>
    <message>
        <source>{name}. {remark}</source>
        <translation>{name}. {remark}</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>Imagem</translation>
    </message>
    <message>
        <source>Diagram</source>
        <translation>Diagrama</translation>
    </message>
    <message>
        <source>Attached: {file}</source>
        <translation>Anexado: {file}</translation>
    </message>
    <message>
        <source>New messages begin here</source>
        <translation>Novas mensagens começam aqui</translation>
    </message>
    <message>
        <source>Message tools</source>
        <translation>Ferramentas da mensagem</translation>
    </message>
    <message>
        <source>Formula {text}</source>
        <translation>Fórmula {text}</translation>
    </message>
    <message>
        <source>Heading level {level}</source>
        <translation>Título de nível {level}</translation>
    </message>
    <message>
        <source>List level {level}</source>
        <translation>Lista de nível {level}</translation>
    </message>
    <message>
        <source>Not fetched, from {host}</source>
        <translation>Não buscada, de {host}</translation>
    </message>
    <message>
        <source>{column}: {words}</source>
        <translation>{column}: {words}</translation>
    </message>
    <message>
        <source>Column {column}</source>
        <translation>Coluna {column}</translation>
    </message>
    <message>
        <source>Row {number}, column {column}</source>
        <translation>Linha {number}, coluna {column}</translation>
    </message>
    <message>
        <source>Transcript</source>
        <translation>Transcrição</translation>
    </message>
    <message>
        <source>The first {most_messages} messages were copied.</source>
        <translation>As primeiras {most_messages} mensagens foram copiadas.</translation>
    </message>
    <message>
        <source>{weekday}, {moment} {zone}</source>
        <translation>{weekday}, {moment} {zone}</translation>
    </message>
    <message>
        <source>{seconds} s</source>
        <translation>{seconds} s</translation>
    </message>
    <message>
        <source>{minutes} min {seconds} s</source>
        <translation>{minutes} min {seconds} s</translation>
    </message>
    <message>
        <source>It is not an image that can be shown.</source>
        <translation>Não é uma imagem que possa ser mostrada.</translation>
    </message>
    <message>
        <source>It has too many pixels.</source>
        <translation>Tem pixels demais.</translation>
    </message>
    <message>
        <source>It is damaged or too large.</source>
        <translation>Está danificada ou é grande demais.</translation>
    </message>
    <message>
        <source>The file is not there.</source>
        <translation>O arquivo não está lá.</translation>
    </message>
    <message>
        <source>It is larger than {limit} MB.</source>
        <translation>Tem mais de {limit} MB.</translation>
    </message>
    <message>
        <source>The file cannot be read.</source>
        <translation>O arquivo não pode ser lido.</translation>
    </message>
    <message>
        <source>Column {name}: Left and Right choose another, with Shift they change its width, Enter fits all columns again</source>
        <translation>Coluna {name}: seta para a esquerda e para a direita escolhem outra, com Shift mudam sua largura, Enter ajusta todas as colunas de novo</translation>
    </message>
    <message>
        <source>Previous match (Shift+Enter)</source>
        <translation>Resultado anterior (Shift+Enter)</translation>
    </message>
    <message>
        <source>Next match (Enter)</source>
        <translation>Próximo resultado (Enter)</translation>
    </message>
    <message>
        <source>Close (Esc)</source>
        <translation>Fechar (Esc)</translation>
    </message>
    <message>
        <source>{number} of {count}+</source>
        <translation>{number} de {count}+</translation>
    </message>
    <message>
        <source>{number} of {count}</source>
        <translation>{number} de {count}</translation>
    </message>
    <message>
        <source>{count}+ found</source>
        <translation>{count}+ encontrados</translation>
    </message>
    <message>
        <source>Match {place}</source>
        <translation>Resultado {place}</translation>
    </message>
    <message numerus="yes">
        <source>{count} found, match {place}</source>
        <comment>{count} found, match {place}</comment>
        <translation>
            <numerusform>{count} encontrado, resultado {place}</numerusform>
            <numerusform>{count} encontrados, resultado {place}</numerusform>
        </translation>
    </message>
    <message>
        <source>{action}: {reason}</source>
        <translation>{action}: {reason}</translation>
    </message>
    <message>
        <source>New file</source>
        <translation>Novo arquivo</translation>
    </message>
    <message>
        <source>Change to a file</source>
        <translation>Alteração em um arquivo</translation>
    </message>
    <message>
        <source>Removal of a file</source>
        <translation>Remoção de um arquivo</translation>
    </message>
    <message>
        <source>Proposed</source>
        <translation>Proposta</translation>
    </message>
    <message>
        <source>Applied</source>
        <translation>Aplicada</translation>
    </message>
    <message>
        <source>Rejected</source>
        <translation>Rejeitada</translation>
    </message>
    <message>
        <source>Outdated: the file was changed since</source>
        <translation>Desatualizada: o arquivo foi alterado desde então</translation>
    </message>
    <message>
        <source>Applied; the file was changed since</source>
        <translation>Aplicada; o arquivo foi alterado desde então</translation>
    </message>
    <message>
        <source>The project has no such folder here</source>
        <translation>O projeto não tem tal pasta aqui</translation>
    </message>
    <message>
        <source>Proposed elsewhere, so it cannot be applied here</source>
        <translation>Proposta em outro lugar, então não pode ser aplicada aqui</translation>
    </message>
    <message>
        <source>Edit the change to {file}</source>
        <translation>Editar a alteração em {file}</translation>
    </message>
    <message>
        <source>Apply…</source>
        <translation>Aplicar…</translation>
    </message>
    <message>
        <source>Apply the change to {file}</source>
        <translation>Aplicar a alteração em {file}</translation>
    </message>
    <message>
        <source>Reject the change to {file}</source>
        <translation>Rejeitar a alteração em {file}</translation>
    </message>
    <message>
        <source>Undo the change to {file}</source>
        <translation>Desfazer a alteração em {file}</translation>
    </message>
    <message>
        <source>its beginning</source>
        <translation>seu começo</translation>
    </message>
    <message>
        <source>Do not wrap lines</source>
        <translation>Não quebrar linhas</translation>
    </message>
    <message>
        <source>Wrap lines</source>
        <translation>Quebrar linhas</translation>
    </message>
    <message>
        <source>Open this page in your browser</source>
        <translation>Abrir esta página no seu navegador</translation>
    </message>
    <message numerus="yes">
        <source>Show all {count} lines</source>
        <comment>Show the {count} line</comment>
        <translation>
            <numerusform>Mostrar {count} linha</numerusform>
            <numerusform>Mostrar todas as {count} linhas</numerusform>
        </translation>
    </message>
    <message>
        <source>Show fewer lines</source>
        <translation>Mostrar menos linhas</translation>
    </message>
    <message>
        <source>Copy code</source>
        <translation>Copiar código</translation>
    </message>
    <message>
        <source>Save code…</source>
        <translation>Salvar código…</translation>
    </message>
    <message>
        <source>Open code as artifact</source>
        <translation>Abrir código como artefato</translation>
    </message>
    <message>
        <source>Copy {language} code</source>
        <translation>Copiar código {language}</translation>
    </message>
    <message>
        <source>Save {language} code…</source>
        <translation>Salvar código {language}…</translation>
    </message>
    <message>
        <source>Open {language} code as artifact</source>
        <translation>Abrir código {language} como artefato</translation>
    </message>
    <message>
        <source>Show picture</source>
        <translation>Mostrar imagem</translation>
    </message>
    <message>
        <source>Show diagram</source>
        <translation>Mostrar diagrama</translation>
    </message>
    <message>
        <source>Show source</source>
        <translation>Mostrar código-fonte</translation>
    </message>
    <message>
        <source>Markdown</source>
        <translation>Markdown</translation>
    </message>
    <message>
        <source>Document</source>
        <translation>Documento</translation>
    </message>
    <message>
        <source>Slides</source>
        <translation>Slides</translation>
    </message>
    <message>
        <source>Book</source>
        <translation>Livro</translation>
    </message>
    <message>
        <source>Mail</source>
        <translation>E-mail</translation>
    </message>
    <message>
        <source>Archive</source>
        <comment>file</comment>
        <translation>Arquivo compactado</translation>
    </message>
    <message>
        <source>is being fetched from the team</source>
        <translation>está sendo buscado da equipe</translation>
    </message>
    <message>
        <source>missing on the team&apos;s server; tried again later</source>
        <translation>falta no servidor da equipe; nova tentativa mais tarde</translation>
    </message>
    <message>
        <source>not sent</source>
        <translation>não enviado</translation>
    </message>
    <message>
        <source>sent in part</source>
        <translation>enviado em parte</translation>
    </message>
    <message>
        <source>Open {file}</source>
        <translation>Abrir {file}</translation>
    </message>
    <message>
        <source>Save a copy of {file}</source>
        <translation>Salvar uma cópia de {file}</translation>
    </message>
    <message>
        <source>Show in its folder: {file}</source>
        <translation>Mostrar em sua pasta: {file}</translation>
    </message>
    <message>
        <source>Copy {file}</source>
        <translation>Copiar {file}</translation>
    </message>
    <message>
        <source>Open as artifact: {file}</source>
        <translation>Abrir como artefato: {file}</translation>
    </message>
    <message>
        <source>{format} file</source>
        <translation>Arquivo {format}</translation>
    </message>
    <message>
        <source>Hide {name}</source>
        <translation>Ocultar {name}</translation>
    </message>
    <message>
        <source>Show {name}</source>
        <translation>Mostrar {name}</translation>
    </message>
    <message>
        <source>asked by {name}</source>
        <translation>perguntada por {name}</translation>
    </message>
    <message>
        <source>Load image from {host}</source>
        <translation>Carregar imagem de {host}</translation>
    </message>
    <message>
        <source>Load image from {host} in your own network</source>
        <translation>Carregar imagem de {host} na sua própria rede</translation>
    </message>
    <message>
        <source>Load it anyway</source>
        <translation>Carregar mesmo assim</translation>
    </message>
    <message>
        <source>Load image</source>
        <translation>Carregar imagem</translation>
    </message>
    <message>
        <source>from {host}</source>
        <translation>de {host}</translation>
    </message>
    <message>
        <source>not shown</source>
        <translation>não mostrada</translation>
    </message>
    <message numerus="yes">
        <source>Summary of {count} messages ends here · out of date and not sent · Show</source>
        <comment>Summary of {count} message ends here · out of date and not sent · Show</comment>
        <translation>
            <numerusform>O resumo de {count} mensagem termina aqui · desatualizado e não enviado · Mostrar</numerusform>
            <numerusform>O resumo de {count} mensagens termina aqui · desatualizado e não enviado · Mostrar</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Show the summary of {count} messages, out of date and not sent</source>
        <comment>Show the summary of {count} message, out of date and not sent</comment>
        <translation>
            <numerusform>Mostrar o resumo de {count} mensagem, desatualizado e não enviado</numerusform>
            <numerusform>Mostrar o resumo de {count} mensagens, desatualizado e não enviado</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Summarised up to here · {count} messages · Show</source>
        <comment>Summarised up to here · {count} message · Show</comment>
        <translation>
            <numerusform>Resumido até aqui · {count} mensagem · Mostrar</numerusform>
            <numerusform>Resumido até aqui · {count} mensagens · Mostrar</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Show the summary of {count} messages up to here</source>
        <comment>Show the summary of {count} message up to here</comment>
        <translation>
            <numerusform>Mostrar o resumo de {count} mensagem até aqui</numerusform>
            <numerusform>Mostrar o resumo de {count} mensagens até aqui</numerusform>
        </translation>
    </message>
    <message>
        <source>Note, which the model sees</source>
        <translation>Nota, que o modelo vê</translation>
    </message>
    <message>
        <source>Note, pinned into the context</source>
        <translation>Nota, fixada no contexto</translation>
    </message>
    <message>
        <source>Note, not sent to the model</source>
        <translation>Nota, não enviada ao modelo</translation>
    </message>
    <message>
        <source>Edited by {person}, pinned into the context</source>
        <translation>Editada por {person}, fixada no contexto</translation>
    </message>
    <message>
        <source>Edited by {person}, excluded from the context</source>
        <translation>Editada por {person}, excluída do contexto</translation>
    </message>
    <message>
        <source>Edited by {person}</source>
        <translation>Editada por {person}</translation>
    </message>
    <message>
        <source>Wide formula: Left and Right move it</source>
        <translation>Fórmula larga: seta para a esquerda e para a direita a movem</translation>
    </message>
    <message>
        <source>Trying again…</source>
        <translation>Tentando de novo…</translation>
    </message>
    <message>
        <source>Trying again in {time} (attempt {attempt}).</source>
        <translation>Tentando de novo em {time} (tentativa {attempt}).</translation>
    </message>
    <message>
        <source>This picture is being fetched from the team.</source>
        <translation>Esta imagem está sendo buscada da equipe.</translation>
    </message>
    <message>
        <source>This picture is missing on the team&apos;s server. ChatDesk tries again later.</source>
        <translation>Esta imagem falta no servidor da equipe. O ChatDesk tenta de novo mais tarde.</translation>
    </message>
    <message>
        <source>Copy table</source>
        <translation>Copiar tabela</translation>
    </message>
    <message numerus="yes">
        <source>Show all {count} rows</source>
        <comment>Show the {count} row</comment>
        <translation>
            <numerusform>Mostrar {count} linha</numerusform>
            <numerusform>Mostrar todas as {count} linhas</numerusform>
        </translation>
    </message>
    <message>
        <source>Show fewer rows</source>
        <translation>Mostrar menos linhas</translation>
    </message>
    <message>
        <source>Waiting for {who}, {duration}</source>
        <translation>Esperando por {who}, {duration}</translation>
    </message>
    <message numerus="yes">
        <source>{count} new messages</source>
        <comment>{count} new message</comment>
        <translation>
            <numerusform>{count} nova mensagem</numerusform>
            <numerusform>{count} novas mensagens</numerusform>
        </translation>
    </message>
    <message>
        <source>Jump to newest</source>
        <translation>Ir para a mais nova</translation>
    </message>
    <message>
        <source>Jump to newest, {new}</source>
        <translation>Ir para a mais nova, {new}</translation>
    </message>
    <message>
        <source>This question has no answer.</source>
        <translation>Esta pergunta não tem resposta.</translation>
    </message>
    <message>
        <source>More</source>
        <translation>Mais</translation>
    </message>
    <message>
        <source>{count} from cache</source>
        <translation>{count} do cache</translation>
    </message>
    <message>
        <source>{count} cached</source>
        <translation>{count} em cache</translation>
    </message>
    <message>
        <source>you can only read this project</source>
        <translation>você só pode ler este projeto</translation>
    </message>
    <message>
        <source>You</source>
        <translation>Você</translation>
    </message>
    <message>
        <source>System</source>
        <translation>Sistema</translation>
    </message>
    <message>
        <source>{moment}, as the author&apos;s computer says; it came to the team {accepted}</source>
        <translation>{moment} segundo o computador do autor; chegou à equipe {accepted}</translation>
    </message>
    <message>
        <source>version {number} of {count}, by {person}</source>
        <translation>versão {number} de {count}, por {person}</translation>
    </message>
    <message>
        <source>{person} wrote this</source>
        <translation>{person} escreveu isto</translation>
    </message>
    <message>
        <source>Try now</source>
        <translation>Tentar agora</translation>
    </message>
    <message>
        <source>Choose another model…</source>
        <translation>Escolher outro modelo…</translation>
    </message>
    <message>
        <source>Choose a larger model…</source>
        <translation>Escolher um modelo maior…</translation>
    </message>
    <message>
        <source>Edit the message</source>
        <translation>Editar a mensagem</translation>
    </message>
    <message>
        <source>Shorten</source>
        <translation>Encurtar</translation>
    </message>
    <message>
        <source>Change the key…</source>
        <translation>Alterar a chave…</translation>
    </message>
    <message>
        <source>Check the key…</source>
        <translation>Verificar a chave…</translation>
    </message>
    <message>
        <source>Open the provider…</source>
        <translation>Abrir o provedor…</translation>
    </message>
    <message>
        <source>Choose a larger model</source>
        <translation>Escolher um modelo maior</translation>
    </message>
    <message>
        <source>Send without the image</source>
        <translation>Enviar sem a imagem</translation>
    </message>
    <message>
        <source>Send as attachment excerpt</source>
        <translation>Enviar como trecho anexado</translation>
    </message>
    <message>
        <source>Edit the system prompt</source>
        <translation>Editar o prompt do sistema</translation>
    </message>
    <message>
        <source>Include it and ask</source>
        <translation>Incluí-la e perguntar</translation>
    </message>
    <message>
        <source>Send anyway once</source>
        <translation>Enviar mesmo assim uma vez</translation>
    </message>
    <message>
        <source>Raise limit…</source>
        <translation>Aumentar limite…</translation>
    </message>
    <message>
        <source>Something went wrong. Your message is kept.</source>
        <translation>Algo deu errado. Sua mensagem foi mantida.</translation>
    </message>
    <message>
        <source>{person} stopped this answer.</source>
        <translation>{person} parou esta resposta.</translation>
    </message>
    <message>
        <source>You stopped this answer.</source>
        <translation>Você parou esta resposta.</translation>
    </message>
    <message>
        <source>The answer reached its maximum length.</source>
        <translation>A resposta atingiu seu comprimento máximo.</translation>
    </message>
    <message>
        <source>ChatDesk of {person} was closed before this answer was complete. Everything that had arrived is kept.</source>
        <translation>O ChatDesk de {person} foi fechado antes de esta resposta estar completa. Tudo o que tinha chegado foi mantido.</translation>
    </message>
    <message>
        <source>ChatDesk was closed before this answer was complete. Everything that had arrived is kept.</source>
        <translation>O ChatDesk foi fechado antes de esta resposta estar completa. Tudo o que tinha chegado foi mantido.</translation>
    </message>
    <message numerus="yes">
        <source>ChatDesk was closed while {count} calls waited for your approval. Nothing was run.</source>
        <comment>ChatDesk was closed while {count} call waited for your approval. Nothing was run.</comment>
        <translation>
            <numerusform>O ChatDesk foi fechado enquanto {count} chamada esperava sua aprovação. Nada foi executado.</numerusform>
            <numerusform>O ChatDesk foi fechado enquanto {count} chamadas esperavam sua aprovação. Nada foi executado.</numerusform>
        </translation>
    </message>
    <message>
        <source>Decide…</source>
        <translation>Decidir…</translation>
    </message>
    <message>
        <source>ChatDesk ended while {tool} ran. Nobody knows what it did, and it is not repeated unless you say so.</source>
        <translation>O ChatDesk terminou enquanto {tool} era executada. Ninguém sabe o que ela fez, e ela não é repetida a menos que você mande.</translation>
    </message>
    <message numerus="yes">
        <source>ChatDesk ended while {count} calls ran. Nobody knows what it did, and it is not repeated unless you say so.</source>
        <comment>ChatDesk ended while {count} call ran. Nobody knows what it did, and it is not repeated unless you say so.</comment>
        <translation>
            <numerusform>O ChatDesk terminou enquanto {count} chamada era executada. Ninguém sabe o que ela fez, e ela não é repetida a menos que você mande.</numerusform>
            <numerusform>O ChatDesk terminou enquanto {count} chamadas eram executadas. Ninguém sabe o que elas fizeram, e elas não são repetidas a menos que você mande.</numerusform>
        </translation>
    </message>
    <message>
        <source>Run again…</source>
        <translation>Executar de novo…</translation>
    </message>
    <message>
        <source>Try at {time}</source>
        <translation>Tentar às {time}</translation>
    </message>
    <message>
        <source>This text has more than 1 MB, so it is not formatted. Copy it to read it elsewhere.</source>
        <translation>Este texto tem mais de 1 MB, por isso não é formatado. Copie-o para lê-lo em outro lugar.</translation>
    </message>
    <message>
        <source>Thinking…</source>
        <translation>Pensando…</translation>
    </message>
    <message>
        <source>Thought for {time}</source>
        <translation>Pensou por {time}</translation>
    </message>
    <message>
        <source>It is on its way…</source>
        <translation>Está a caminho…</translation>
    </message>
    <message>
        <source>{name}: {state}</source>
        <translation>{name}: {state}</translation>
    </message>
    <message>
        <source>under a second</source>
        <translation>menos de um segundo</translation>
    </message>
    <message>
        <source>pinned into the context</source>
        <translation>fixada no contexto</translation>
    </message>
    <message>
        <source>excluded from the context</source>
        <translation>excluída do contexto</translation>
    </message>
    <message numerus="yes">
        <source>{count} code blocks</source>
        <comment>{count} code block</comment>
        <translation>
            <numerusform>{count} bloco de código</numerusform>
            <numerusform>{count} blocos de código</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tables</source>
        <comment>{count} table</comment>
        <translation>
            <numerusform>{count} tabela</numerusform>
            <numerusform>{count} tabelas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} formulas</source>
        <comment>{count} formula</comment>
        <translation>
            <numerusform>{count} fórmula</numerusform>
            <numerusform>{count} fórmulas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} images</source>
        <comment>{count} image</comment>
        <translation>
            <numerusform>{count} imagem</numerusform>
            <numerusform>{count} imagens</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} diagrams</source>
        <comment>{count} diagram</comment>
        <translation>
            <numerusform>{count} diagrama</numerusform>
            <numerusform>{count} diagramas</numerusform>
        </translation>
    </message>
    <message>
        <source>bullet</source>
        <translation>marcador</translation>
    </message>
    <message>
        <source>not done</source>
        <translation>não feito</translation>
    </message>
    <message>
        <source>done</source>
        <translation>feito</translation>
    </message>
    <message>
        <source>definition</source>
        <translation>definição</translation>
    </message>
    <message>
        <source>edited by {person}</source>
        <translation>editada por {person}</translation>
    </message>
    <message>
        <source>asked by {person}</source>
        <translation>perguntada por {person}</translation>
    </message>
    <message>
        <source>message {number} of {count}</source>
        <translation>mensagem {number} de {count}</translation>
    </message>
    <message>
        <source>note</source>
        <translation>nota</translation>
    </message>
    <message>
        <source>part {number} of {count}</source>
        <translation>parte {number} de {count}</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines</source>
        <comment>{count} line</comment>
        <translation>
            <numerusform>{count} linha</numerusform>
            <numerusform>{count} linhas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Table, {count} columns</source>
        <comment>Table, {count} column</comment>
        <translation>
            <numerusform>Tabela, {count} coluna</numerusform>
            <numerusform>Tabela, {count} colunas</numerusform>
        </translation>
    </message>
    <message>
        <source>{table}, rows {first} to {last} of {count}</source>
        <translation>{table}, linhas {first} a {last} de {count}</translation>
    </message>
    <message>
        <source>Back to the text</source>
        <translation>Voltar ao texto</translation>
    </message>
    <message>
        <source>Footnote {number}</source>
        <translation>Nota de rodapé {number}</translation>
    </message>
    <message>
        <source>{author} is answering</source>
        <translation>{author} está respondendo</translation>
    </message>
    <message>
        <source>{author} has answered</source>
        <translation>{author} respondeu</translation>
    </message>
    <message>
        <source>The answer was stopped</source>
        <translation>A resposta foi parada</translation>
    </message>
    <message>
        <source>The answer is not complete</source>
        <translation>A resposta não está completa</translation>
    </message>
    <message>
        <source>Image, {alt}</source>
        <translation>Imagem, {alt}</translation>
    </message>
    <message>
        <source>day</source>
        <translation>dia</translation>
    </message>
    <message>
        <source>week</source>
        <translation>semana</translation>
    </message>
    <message>
        <source>month</source>
        <translation>mês</translation>
    </message>
    <message>
        <source>model</source>
        <translation>modelo</translation>
    </message>
    <message>
        <source>project</source>
        <translation>projeto</translation>
    </message>
    <message>
        <source>kind</source>
        <translation>tipo</translation>
    </message>
    <message>
        <source>Chart of usage</source>
        <translation>Gráfico de uso</translation>
    </message>
    <message>
        <source>Chart of {measure} by {rows}</source>
        <translation>Gráfico de {measure} por {rows}</translation>
    </message>
    <message>
        <source>Arrow keys go from bar to bar; the table below has the same numbers.</source>
        <translation>As setas vão de barra em barra; a tabela abaixo tem os mesmos números.</translation>
    </message>
    <message>
        <source>{row}: {amount}</source>
        <translation>{row}: {amount}</translation>
    </message>
    <message>
        <source>No requests in these days.</source>
        <translation>Nenhuma solicitação nestes dias.</translation>
    </message>
    <message numerus="yes">
        <source>In all {amount} in {count} rows. The largest is {row} with {most}.</source>
        <comment>In all {amount} in {count} row. The largest is {row} with {most}.</comment>
        <translation>
            <numerusform>Ao todo {amount} em {count} linha. A maior é {row} com {most}.</numerusform>
            <numerusform>Ao todo {amount} em {count} linhas. A maior é {row} com {most}.</numerusform>
        </translation>
    </message>
    <message>
        <source>no price known</source>
        <translation>preço não conhecido</translation>
    </message>
    <message numerus="yes">
        <source>About {count} tokens in {requests}.</source>
        <comment>About {count} token in {requests}.</comment>
        <translation>
            <numerusform>Cerca de {count} token em {requests}.</numerusform>
            <numerusform>Cerca de {count} tokens em {requests}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens in {requests}.</source>
        <comment>{count} token in {requests}.</comment>
        <translation>
            <numerusform>{count} token em {requests}.</numerusform>
            <numerusform>{count} tokens em {requests}.</numerusform>
        </translation>
    </message>
    <message>
        <source>Week of {day}</source>
        <translation>Semana de {day}</translation>
    </message>
    <message>
        <source>{weekday}, {day}</source>
        <translation>{weekday}, {day}</translation>
    </message>
    <message>
        <source>cost</source>
        <translation>custo</translation>
    </message>
    <message>
        <source>Requests</source>
        <translation>Solicitações</translation>
    </message>
    <message>
        <source>requests</source>
        <translation>solicitações</translation>
    </message>
    <message>
        <source>7 days</source>
        <translation>7 dias</translation>
    </message>
    <message>
        <source>All</source>
        <translation>Tudo</translation>
    </message>
    <message>
        <source>Own days</source>
        <translation>Dias próprios</translation>
    </message>
    <message>
        <source>By day</source>
        <translation>Por dia</translation>
    </message>
    <message>
        <source>By model</source>
        <translation>Por modelo</translation>
    </message>
    <message>
        <source>By project</source>
        <translation>Por projeto</translation>
    </message>
    <message>
        <source>By kind</source>
        <translation>Por tipo</translation>
    </message>
    <message>
        <source>Days</source>
        <comment>period</comment>
        <translation>Período</translation>
    </message>
    <message>
        <source>First day</source>
        <translation>Primeiro dia</translation>
    </message>
    <message>
        <source>Last day</source>
        <translation>Último dia</translation>
    </message>
    <message>
        <source>What the bars show</source>
        <translation>O que as barras mostram</translation>
    </message>
    <message>
        <source>Export CSV…</source>
        <translation>Exportar CSV…</translation>
    </message>
    <message>
        <source>Cost: {cost}.</source>
        <translation>Custo: {cost}.</translation>
    </message>
    <message>
        <source>No price is known for these models.</source>
        <translation>Não se conhece preço para estes modelos.</translation>
    </message>
    <message numerus="yes">
        <source>≈: the tokens of {count} requests are estimates.</source>
        <comment>≈: the tokens of {count} request are estimates.</comment>
        <translation>
            <numerusform>≈: os tokens de {count} solicitação são estimativas.</numerusform>
            <numerusform>≈: os tokens de {count} solicitações são estimativas.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>No price is known for {count} requests; the cost leaves them out.</source>
        <comment>No price is known for {count} request; the cost leaves them out.</comment>
        <translation>
            <numerusform>Não se conhece preço para {count} solicitação; o custo não a inclui.</numerusform>
            <numerusform>Não se conhece preço para {count} solicitações; o custo não as inclui.</numerusform>
        </translation>
    </message>
    <message>
        <source>Tokens in</source>
        <translation>Tokens de entrada</translation>
    </message>
    <message>
        <source>From cache</source>
        <translation>Do cache</translation>
    </message>
    <message>
        <source>Of them read from the provider&apos;s cache</source>
        <translation>Deles, lidos do cache do provedor</translation>
    </message>
    <message>
        <source>Of them written to the provider&apos;s cache</source>
        <translation>Deles, gravados no cache do provedor</translation>
    </message>
    <message>
        <source>Tokens out</source>
        <translation>Tokens de saída</translation>
    </message>
    <message>
        <source>Week</source>
        <translation>Semana</translation>
    </message>
    <message>
        <source>Month</source>
        <translation>Mês</translation>
    </message>
    <message>
        <source>Day</source>
        <translation>Dia</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>Tipo</translation>
    </message>
    <message>
        <source>Usage as a table</source>
        <translation>Uso como tabela</translation>
    </message>
    <message>
        <source>Close this notice</source>
        <translation>Fechar este aviso</translation>
    </message>
    <message>
        <source>{percent}%</source>
        <translation>{percent}%</translation>
    </message>
    <message>
        <source>nearly full</source>
        <translation>quase cheio</translation>
    </message>
    <message>
        <source>filling up</source>
        <translation>enchendo</translation>
    </message>
    <message>
        <source>Context used: {percentage}</source>
        <translation>Contexto usado: {percentage}</translation>
    </message>
    <message>
        <source>Context of this thread</source>
        <translation>Contexto desta conversa</translation>
    </message>
    <message>
        <source>How full the context is</source>
        <translation>Quão cheio está o contexto</translation>
    </message>
    <message>
        <source>Show what is sent</source>
        <translation>Mostrar o que é enviado</translation>
    </message>
    <message>
        <source>Explain a stack trace</source>
        <translation>Explicar um stack trace</translation>
    </message>
    <message>
        <source>Paste it; get the cause and the fix</source>
        <translation>Cole-o; receba a causa e a correção</translation>
    </message>
    <message>
        <source>Explain this error. What causes it, and how do I fix it?

</source>
        <translation>Explique este erro. O que o causa, e como o corrijo?

</translation>
    </message>
    <message>
        <source>Summarise a document</source>
        <translation>Resumir um documento</translation>
    </message>
    <message>
        <source>Drop a PDF or a text file</source>
        <translation>Solte um PDF ou um arquivo de texto</translation>
    </message>
    <message>
        <source>Summarise this document: the main points first, then what is left open.</source>
        <translation>Resuma este documento: primeiro os pontos principais, depois o que fica em aberto.</translation>
    </message>
    <message>
        <source>Make a comparison table</source>
        <translation>Fazer uma tabela comparativa</translation>
    </message>
    <message>
        <source>Options against criteria</source>
        <translation>Opções por critérios</translation>
    </message>
    <message>
        <source>Compare these options in a table, by cost, effort and risk:
- </source>
        <translation>Compare estas opções em uma tabela, por custo, esforço e risco:
- </translation>
    </message>
    <message>
        <source>From a ChatGPT or Claude export</source>
        <translation>De uma exportação do ChatGPT ou do Claude</translation>
    </message>
    <message>
        <source>What ChatDesk can do</source>
        <translation>O que o ChatDesk pode fazer</translation>
    </message>
    <message>
        <source>See an answer</source>
        <translation>Ver uma resposta</translation>
    </message>
    <message>
        <source>With code, a table and a formula</source>
        <translation>Com código, uma tabela e uma fórmula</translation>
    </message>
    <message>
        <source>A key, or a server of your own</source>
        <translation>Uma chave ou um servidor seu</translation>
    </message>
    <message>
        <source>See what goes with it, and save it</source>
        <translation>Veja o que vai com ela e salve</translation>
    </message>
    <message>
        <source>Nothing is changed</source>
        <translation>Nada é alterado</translation>
    </message>
    <message>
        <source>See what is in it first</source>
        <translation>Veja antes o que há nele</translation>
    </message>
    <message>
        <source>What are you working on?</source>
        <translation>No que você está trabalhando?</translation>
    </message>
    <message>
        <source>Your threads could not be opened</source>
        <translation>Não foi possível abrir suas conversas</translation>
    </message>
    <message>
        <source>Opening your threads…</source>
        <translation>Abrindo suas conversas…</translation>
    </message>
    <message>
        <source>If you restore a backup, the database as it is now is kept.</source>
        <translation>Se você restaurar um backup, o banco de dados como está agora é mantido.</translation>
    </message>
    <message>
        <source>{size} KB</source>
        <translation>{size} KB</translation>
    </message>
    <message>
        <source>{size} MB</source>
        <translation>{size} MB</translation>
    </message>
    <message>
        <source>{first} is typing…</source>
        <translation>{first} está digitando…</translation>
    </message>
    <message>
        <source>{first} and {second} are typing…</source>
        <translation>{first} e {second} estão digitando…</translation>
    </message>
    <message numerus="yes">
        <source>{count} people are typing…</source>
        <comment>{count} person is typing…</comment>
        <translation>
            <numerusform>{count} pessoa está digitando…</numerusform>
            <numerusform>{count} pessoas estão digitando…</numerusform>
        </translation>
    </message>
    <message>
        <source>Here now: {names}</source>
        <translation>Aqui agora: {names}</translation>
    </message>
    <message>
        <source>Temporary</source>
        <translation>Temporário</translation>
    </message>
    <message>
        <source>Nothing of this chat is stored. It is gone when ChatDesk closes, unless you keep it.</source>
        <translation>Nada deste chat é guardado. Ele some quando o ChatDesk fecha, a menos que você o mantenha.</translation>
    </message>
    <message>
        <source>Store this chat with all its messages</source>
        <translation>Guardar este chat com todas as suas mensagens</translation>
    </message>
    <message>
        <source>Keep this chat</source>
        <translation>Manter este chat</translation>
    </message>
    <message>
        <source>Temporary. {meaning}</source>
        <translation>Temporário. {meaning}</translation>
    </message>
    <message>
        <source>Thread header</source>
        <translation>Cabeçalho da conversa</translation>
    </message>
    <message>
        <source>Show the sidebar</source>
        <translation>Mostrar a barra lateral</translation>
    </message>
    <message>
        <source>Questions of this thread</source>
        <translation>Perguntas desta conversa</translation>
    </message>
    <message>
        <source>More about this thread</source>
        <translation>Mais sobre esta conversa</translation>
    </message>
    <message>
        <source>Close this chat</source>
        <translation>Fechar este chat</translation>
    </message>
    <message>
        <source>Thread title</source>
        <translation>Título da conversa</translation>
    </message>
    <message>
        <source>Paste your API key</source>
        <translation>Cole sua chave de API</translation>
    </message>
    <message>
        <source>Show the key</source>
        <translation>Mostrar a chave</translation>
    </message>
    <message>
        <source>Hide the key</source>
        <translation>Ocultar a chave</translation>
    </message>
    <message>
        <source>Opens {url} in the browser.</source>
        <translation>Abre {url} no navegador.</translation>
    </message>
    <message>
        <source>{others} and {last}</source>
        <translation>{others} e {last}</translation>
    </message>
    <message>
        <source>, </source>
        <translation>, </translation>
    </message>
    <message>
        <source>Choose a model</source>
        <translation>Escolher um modelo</translation>
    </message>
    <message>
        <source>Up and Down move, Enter chooses, Ctrl+D marks a favourite.</source>
        <translation>Setas para cima e para baixo movem, Enter escolhe, Ctrl+D marca um favorito.</translation>
    </message>
    <message>
        <source>Fetch the lists of models again</source>
        <translation>Buscar as listas de modelos de novo</translation>
    </message>
    <message>
        <source>Add provider…</source>
        <translation>Adicionar provedor…</translation>
    </message>
    <message>
        <source>No model matches.</source>
        <translation>Nenhum modelo corresponde.</translation>
    </message>
    <message>
        <source>There is no model yet. Add a provider.</source>
        <translation>Ainda não há modelo. Adicione um provedor.</translation>
    </message>
    <message>
        <source>Marked as a favourite</source>
        <translation>Marcado como favorito</translation>
    </message>
    <message>
        <source>No longer a favourite</source>
        <translation>Não é mais favorito</translation>
    </message>
    <message>
        <source>Model: {text}</source>
        <translation>Modelo: {text}</translation>
    </message>
    <message>
        <source>{text}: choose another model</source>
        <translation>{text}: escolher outro modelo</translation>
    </message>
    <message>
        <source>Favourites</source>
        <translation>Favoritos</translation>
    </message>
    <message>
        <source>favourite</source>
        <translation>favorito</translation>
    </message>
    <message>
        <source>chosen</source>
        <translation>escolhido</translation>
    </message>
    <message>
        <source>Find a project</source>
        <translation>Localizar um projeto</translation>
    </message>
    <message>
        <source>open</source>
        <translation>aberto</translation>
    </message>
    <message>
        <source>No project matches.</source>
        <translation>Nenhum projeto corresponde.</translation>
    </message>
    <message>
        <source>Clear the search</source>
        <translation>Limpar a busca</translation>
    </message>
    <message>
        <source>Border between the two chats</source>
        <translation>Borda entre os dois chats</translation>
    </message>
    <message>
        <source>Chat at the left</source>
        <translation>Chat à esquerda</translation>
    </message>
    <message>
        <source>Chat at the right</source>
        <translation>Chat à direita</translation>
    </message>
    <message>
        <source>Active: commands act here</source>
        <translation>Ativo: os comandos agem aqui</translation>
    </message>
    <message>
        <source>Chats of this window</source>
        <translation>Chats desta janela</translation>
    </message>
    <message>
        <source>Menu bar</source>
        <translation>Barra de menus</translation>
    </message>
    <message>
        <source>Show the menu bar</source>
        <translation>Mostrar a barra de menus</translation>
    </message>
    <message>
        <source>Hide the menu bar</source>
        <translation>Ocultar a barra de menus</translation>
    </message>
    <message>
        <source>Hide the sidebar</source>
        <translation>Ocultar a barra lateral</translation>
    </message>
    <message>
        <source>The sidebar is shown</source>
        <translation>A barra lateral está visível</translation>
    </message>
    <message>
        <source>The sidebar is hidden</source>
        <translation>A barra lateral está oculta</translation>
    </message>
    <message>
        <source>{title} – ChatDesk</source>
        <translation>{title} – ChatDesk</translation>
    </message>
    <message>
        <source>usage: </source>
        <translation>uso: </translation>
    </message>
    <message>
        <source>positional arguments</source>
        <translation>argumentos</translation>
    </message>
    <message>
        <source>options</source>
        <translation>opções</translation>
    </message>
    <message>
        <source>show this help message and exit</source>
        <translation>mostra esta ajuda e sai</translation>
    </message>
    <message>
        <source>show program&apos;s version number and exit</source>
        <translation>mostra a versão do programa e sai</translation>
    </message>
    <message>
        <source>%(prog)s: error: %(message)s
</source>
        <translation>%(prog)s: erro: %(message)s
</translation>
    </message>
    <message>
        <source>argument %(argument_name)s: %(message)s</source>
        <translation>argumento %(argument_name)s: %(message)s</translation>
    </message>
    <message>
        <source>the following arguments are required: %s</source>
        <translation>faltam estes argumentos: %s</translation>
    </message>
    <message>
        <source>one of the arguments %s is required</source>
        <translation>é preciso um dos argumentos %s</translation>
    </message>
    <message>
        <source>expected one argument</source>
        <translation>espera-se um valor</translation>
    </message>
    <message>
        <source>expected at most one argument</source>
        <translation>espera-se no máximo um valor</translation>
    </message>
    <message>
        <source>expected at least one argument</source>
        <translation>espera-se pelo menos um valor</translation>
    </message>
    <message>
        <source>invalid choice: %(value)r (choose from %(choices)s)</source>
        <translation>escolha inválida: %(value)r (escolha entre %(choices)s)</translation>
    </message>
    <message>
        <source>invalid %(type)s value: %(value)r</source>
        <translation>valor inválido (%(type)s): %(value)r</translation>
    </message>
    <message>
        <source>unrecognized arguments: %s</source>
        <translation>argumentos não reconhecidos: %s</translation>
    </message>
    <message>
        <source>not allowed with argument %s</source>
        <translation>não permitido com o argumento %s</translation>
    </message>
    <message>
        <source>ambiguous option: %(option)s could match %(matches)s</source>
        <translation>opção ambígua: %(option)s pode ser %(matches)s</translation>
    </message>
    <message>
        <source>ignored explicit argument %r</source>
        <translation>valor inesperado: %r</translation>
    </message>
    <message numerus="yes">
        <source>expected %s arguments</source>
        <comment>expected %s argument</comment>
        <translation>
            <numerusform>espera-se %s valor</numerusform>
            <numerusform>esperam-se %s valores</numerusform>
        </translation>
    </message>
    <message>
        <source>invited</source>
        <translation>convidado</translation>
    </message>
    <message>
        <source>active</source>
        <translation>ativo</translation>
    </message>
    <message>
        <source>removed</source>
        <translation>removido</translation>
    </message>
    <message>
        <source>warning</source>
        <translation>aviso</translation>
    </message>
    <message>
        <source>Recovered messages</source>
        <translation>Mensagens recuperadas</translation>
    </message>
    <message>
        <source>Not taken by the team</source>
        <translation>Não aceito pela equipe</translation>
    </message>
    <message>
        <source>{title} (branch)</source>
        <translation>{title} (ramificação)</translation>
    </message>
    <message>
        <source>Server at port {port}</source>
        <translation>Servidor na porta {port}</translation>
    </message>
    <message>
        <source>It answers</source>
        <translation>Ele responde</translation>
    </message>
    <message>
        <source>Lets ChatDesk search</source>
        <translation>Permite que o ChatDesk busque</translation>
    </message>
    <message>
        <source>Finds pages</source>
        <translation>Encontra páginas</translation>
    </message>
    <message>
        <source>New</source>
        <comment>messages</comment>
        <translation>Novas</translation>
    </message>
    <message>
        <source>Works</source>
        <translation>Funciona</translation>
    </message>
    <message>
        <source>Does not work</source>
        <translation>Não funciona</translation>
    </message>
    <message>
        <source>{who} offers no embeddings.</source>
        <translation>{who} não oferece embeddings.</translation>
    </message>
    <message>
        <source>The counters of thread {thread} are wrong.</source>
        <translation>Os contadores da conversa {thread} estão errados.</translation>
    </message>
    <message>
        <source>The last shown message of thread {thread} is wrong.</source>
        <translation>A última mensagem mostrada da conversa {thread} está errada.</translation>
    </message>
    <message>
        <source>The attached file {name} is missing.</source>
        <translation>O arquivo anexado {name} está faltando.</translation>
    </message>
    <message>
        <source>The attached file {name} is not what was saved.</source>
        <translation>O arquivo anexado {name} não é o que foi salvo.</translation>
    </message>
    <message>
        <source>The attached file {name} is a link to another file.</source>
        <translation>O arquivo anexado {name} é um link para outro arquivo.</translation>
    </message>
    <message>
        <source>The attached file {name} cannot be read.</source>
        <translation>O arquivo anexado {name} não pode ser lido.</translation>
    </message>
    <message>
        <source>SQLite reports: {report}.</source>
        <translation>O SQLite informa: {report}.</translation>
    </message>
    <message>
        <source>A row of {table} points to a missing row of {missing}.</source>
        <translation>Uma linha de {table} aponta para uma linha de {missing} que falta.</translation>
    </message>
    <message>
        <source>The text of message {message} is not what was saved.</source>
        <translation>O texto da mensagem {message} não é o que foi salvo.</translation>
    </message>
    <message>
        <source>This question is no longer waiting.</source>
        <translation>Esta pergunta não espera mais.</translation>
    </message>
    <message>
        <source>It did not arrive completely.</source>
        <translation>Não chegou inteiro.</translation>
    </message>
    <message>
        <source>This provider no longer exists.</source>
        <translation>Não existe mais esse provedor.</translation>
    </message>
    <message>
        <source>This answer is no longer waiting.</source>
        <translation>Esta resposta não espera mais.</translation>
    </message>
    <message>
        <source>This file contains more messages than can be read at once.</source>
        <translation>Este arquivo contém mais mensagens do que se pode ler de uma vez.</translation>
    </message>
    <message>
        <source>ChatDesk keeps running in the tray. To end it, choose Quit there or in the menu.</source>
        <translation>O ChatDesk continua na bandeja. Para encerrá-lo, escolha Sair lá ou no menu.</translation>
    </message>
    <message>
        <source>unknown time</source>
        <translation>data desconhecida</translation>
    </message>
    <message>
        <source>The proxy that the system names cannot be used: {proxy}. Name an HTTP proxy there.</source>
        <translation>O proxy que o sistema indica não pode ser usado: {proxy}. Indique lá um proxy HTTP.</translation>
    </message>
    <message>
        <source>The proxy wants a user name and a password: {proxy}. Nothing was sent.</source>
        <translation>O proxy exige um nome de usuário e uma senha: {proxy}. Nada foi enviado.</translation>
    </message>
    <message>
        <source>Write them into its address, as in http://name:password@proxy:3128.</source>
        <translation>Escreva-os no endereço dele, como em http://name:password@proxy:3128.</translation>
    </message>
    <message>
        <source>The proxy let nothing through ({answer}): {proxy}.</source>
        <translation>O proxy não deixou passar nada ({answer}): {proxy}.</translation>
    </message>
    <message>
        <source>Ask who runs it, or set the proxy of this provider in Settings, Providers.</source>
        <translation>Pergunte a quem o administra ou defina o proxy deste provedor em Configurações, Provedores.</translation>
    </message>
    <message>
        <source>The proxy could not be reached: {proxy}. Nothing was sent.</source>
        <translation>Não foi possível acessar o proxy: {proxy}. Nada foi enviado.</translation>
    </message>
    <message>
        <source>Check the proxy, or set the proxy of this provider in Settings, Providers.</source>
        <translation>Verifique o proxy ou defina o proxy deste provedor em Configurações, Provedores.</translation>
    </message>
    <message>
        <source>Upgrading a copy of the database…</source>
        <translation>Atualizando uma cópia do banco de dados…</translation>
    </message>
    <message>
        <source>The row {row} of {table} has values that cannot be: {columns}.</source>
        <translation>A linha {row} de {table} tem valores impossíveis: {columns}.</translation>
    </message>
    <message numerus="yes">
        <source>{count} values of {table} were replaced.</source>
        <comment>{count} value of {table} was replaced.</comment>
        <translation>
            <numerusform>{count} valor de {table} foi substituído.</numerusform>
            <numerusform>{count} valores de {table} foram substituídos.</numerusform>
        </translation>
    </message>
    <message>
        <source>{path} is not a file.</source>
        <translation>{path} não é um arquivo.</translation>
    </message>
    <message>
        <source>{path} cannot be read ({reason}).</source>
        <translation>{path} não pode ser lido ({reason}).</translation>
    </message>
    <message>
        <source>{path} is damaged.</source>
        <translation>{path} está danificado.</translation>
    </message>
    <message>
        <source>own files</source>
        <translation>arquivos próprios</translation>
    </message>
    <message>
        <source>ChatDesk goes on without it.</source>
        <translation>O ChatDesk continua sem ele.</translation>
    </message>
    <message>
        <source>Damaged files were kept in {directory} as {names}. Remove them when you no longer need them.</source>
        <translation>Arquivos danificados foram guardados em {directory} como {names}. Remova-os quando não precisar mais deles.</translation>
    </message>
    <message>
        <source>file of {subject}</source>
        <translation>arquivo ({subject})</translation>
    </message>
    <message>
        <source>Empty or damaged, so that they count as no backups: {names}.</source>
        <translation>Vazios ou danificados, por isso não contam como backups: {names}.</translation>
    </message>
    <message>
        <source>Remove them from {directory}.</source>
        <translation>Remova-os de {directory}.</translation>
    </message>
    <message>
        <source>backups</source>
        <translation>backups</translation>
    </message>
    <message>
        <source>import</source>
        <translation>importar</translation>
    </message>
    <message>
        <source>choose the model</source>
        <translation>escolher o modelo</translation>
    </message>
    <message>
        <source>attach a file</source>
        <translation>anexar um arquivo</translation>
    </message>
    <message>
        <source>These braces are not closed. Write }} after the name, or a backslash before mere braces.</source>
        <translation>Estas chaves não estão fechadas. Escreva }} depois do nome, ou uma barra invertida antes de meras chaves.</translation>
    </message>
    <message>
        <source>A variable needs a name between its braces.</source>
        <translation>Uma variável precisa de um nome entre as chaves.</translation>
    </message>
    <message>
        <source>A name begins with a letter and has letters, digits, spaces, - and _ only. It is inserted as it is written.</source>
        <translation>Um nome começa com uma letra e só tem letras, dígitos, espaços, - e _. Ele é inserido como está escrito.</translation>
    </message>
    <message>
        <source>Line {line}, column {column}: {problem}</source>
        <translation>Linha {line}, coluna {column}: {problem}</translation>
    </message>
    <message>
        <source>{variable} has {count} characters; the first {kept} were inserted.</source>
        <translation>{variable} tem {count} caracteres; os primeiros {kept} foram inseridos.</translation>
    </message>
    <message>
        <source>The text was cut after {count} characters.</source>
        <translation>O texto foi cortado após {count} caracteres.</translation>
    </message>
    <message>
        <source>A name has at most {count} characters. It is inserted as it is written.</source>
        <translation>Um nome tem no máximo {count} caracteres. Ele é inserido como está escrito.</translation>
    </message>
    <message>
        <source>{variable} means nothing in a system prompt.</source>
        <translation>{variable} não significa nada em um prompt do sistema.</translation>
    </message>
    <message>
        <source>{variable} takes nothing after its name, so this is inserted as it is written.</source>
        <translation>{variable} não aceita nada depois do nome, por isso é inserido como está escrito.</translation>
    </message>
    <message>
        <source>This format is not known. Use parts as in {example}, or {variable} alone. It is inserted as it is written.</source>
        <translation>Este formato não é conhecido. Use partes como em {example}, ou só {variable}. Ele é inserido como está escrito.</translation>
    </message>
    <message>
        <source>{variable} is not known in a system prompt.</source>
        <translation>{variable} não é conhecido em um prompt do sistema.</translation>
    </message>
    <message>
        <source>Write 1 to {count} choices, such as {example}.</source>
        <translation>Escreva de 1 a {count} opções, por exemplo {example}.</translation>
    </message>
    <message>
        <source>A template has at most {count} fields. This one stays as it is written.</source>
        <translation>Um modelo de texto tem no máximo {count} campos. Este fica como está escrito.</translation>
    </message>
    <message>
        <source>{variable} is asked for as a field.</source>
        <translation>{variable} é pedido como um campo.</translation>
    </message>
    <message>
        <source>Did you mean {variable}?</source>
        <translation>Você quis dizer {variable}?</translation>
    </message>
    <message>
        <source>Only {names} are known there; this is sent as it is written.</source>
        <translation>Lá só são conhecidos {names}; isto é enviado como está escrito.</translation>
    </message>
    <message>
        <source>The model gave an empty summary.</source>
        <translation>O modelo deu um resumo vazio.</translation>
    </message>
    <message>
        <source>The model gave a summary that says nothing.</source>
        <translation>O modelo deu um resumo que não diz nada.</translation>
    </message>
    <message>
        <source>The model refused to summarise.</source>
        <translation>O modelo se recusou a resumir.</translation>
    </message>
    <message>
        <source>The model gave a summary that is longer than the messages.</source>
        <translation>O modelo deu um resumo mais longo que as mensagens.</translation>
    </message>
    <message>
        <source>The model did not finish its summary.</source>
        <translation>O modelo não terminou seu resumo.</translation>
    </message>
    <message>
        <source>This link cannot be opened: it names neither a thread nor an invitation.</source>
        <translation>Este link não pode ser aberto: não indica nem uma conversa nem um convite.</translation>
    </message>
    <message>
        <source>Ask the person who gave it to you to copy it again.</source>
        <translation>Peça à pessoa que o deu a você que o copie de novo.</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>Detalhes</translation>
    </message>
    <message>
        <source>{kilobytes} KB, damaged or too large</source>
        <translation>{kilobytes} KB, danificado ou grande demais</translation>
    </message>
    <message>
        <source>too large for a table</source>
        <translation>grande demais para uma tabela</translation>
    </message>
    <message>
        <source>Note</source>
        <comment>callout</comment>
        <translation>Nota</translation>
    </message>
    <message>
        <source>Tip</source>
        <comment>callout</comment>
        <translation>Dica</translation>
    </message>
    <message>
        <source>Important</source>
        <comment>callout</comment>
        <translation>Importante</translation>
    </message>
    <message>
        <source>Warning</source>
        <comment>callout</comment>
        <translation>Aviso</translation>
    </message>
    <message>
        <source>Caution</source>
        <comment>callout</comment>
        <translation>Cuidado</translation>
    </message>
    <message>
        <source>This diagram could not be drawn</source>
        <translation>Este diagrama não pôde ser desenhado</translation>
    </message>
    <message>
        <source>Diagrams cannot be drawn on this computer</source>
        <translation>Diagramas não podem ser desenhados neste computador</translation>
    </message>
    <message>
        <source>This picture could not be drawn</source>
        <translation>Esta imagem não pôde ser desenhada</translation>
    </message>
    <message>
        <source>Erased project</source>
        <translation>Projeto apagado</translation>
    </message>
    <message>
        <source>Shared project</source>
        <translation>Projeto compartilhado</translation>
    </message>
    <message>
        <source>The team&apos;s database reports: {reason}</source>
        <translation>O banco de dados da equipe informa: {reason}</translation>
    </message>
    <message>
        <source>This file of the project&apos;s folder cannot be used.</source>
        <translation>Este arquivo da pasta do projeto não pode ser usado.</translation>
    </message>
    <message>
        <source>This path is too long, or has characters that cannot be seen.</source>
        <translation>Este caminho é longo demais, ou tem caracteres que não se veem.</translation>
    </message>
    <message>
        <source>Paths begin at the project&apos;s folder: “src/main.py”, for example.</source>
        <translation>Os caminhos começam na pasta do projeto: por exemplo, “src/main.py”.</translation>
    </message>
    <message>
        <source>A path cannot lead out of the project&apos;s folder.</source>
        <translation>Um caminho não pode sair da pasta do projeto.</translation>
    </message>
    <message>
        <source>This path is too deep.</source>
        <translation>Este caminho é profundo demais.</translation>
    </message>
    <message>
        <source>“{name}” usually holds secrets, or is managed by a program, so no tool may use it.</source>
        <translation>“{name}” costuma guardar segredos, ou é gerenciado por um programa, por isso nenhuma ferramenta pode usá-lo.</translation>
    </message>
    <message>
        <source>The project&apos;s folder cannot be opened, or there is a link on the way to it.</source>
        <translation>A pasta do projeto não pode ser aberta, ou há um link no caminho.</translation>
    </message>
    <message>
        <source>Choose it again in the project&apos;s dialog.</source>
        <translation>Escolha-a de novo no diálogo do projeto.</translation>
    </message>
    <message>
        <source>“{name}” is not a file but a folder, a link or a device. Links are not followed.</source>
        <translation>“{name}” não é um arquivo, e sim uma pasta, um link ou um dispositivo. Links não são seguidos.</translation>
    </message>
    <message>
        <source>“{name}” is not a file but a folder, a link or a device.</source>
        <translation>“{name}” não é um arquivo, e sim uma pasta, um link ou um dispositivo.</translation>
    </message>
    <message>
        <source>“{name}” is no longer a file.</source>
        <translation>“{name}” não é mais um arquivo.</translation>
    </message>
    <message>
        <source>“{name}” has a second name (a hard link), perhaps outside of the project&apos;s folder.</source>
        <translation>“{name}” tem um segundo nome (um hard link), talvez fora da pasta do projeto.</translation>
    </message>
    <message>
        <source>Copy it if tools are to use it.</source>
        <translation>Copie-o se as ferramentas devem usá-lo.</translation>
    </message>
    <message>
        <source>“{name}” is too large; the limit is {most}.</source>
        <translation>“{name}” é grande demais; o limite é {most}.</translation>
    </message>
    <message>
        <source>“{name}” is not a folder, or there is a link on the way. Links are not followed.</source>
        <translation>“{name}” não é uma pasta, ou há um link no caminho. Links não são seguidos.</translation>
    </message>
    <message>
        <source>“{name}” is not a file but a link. Links are not followed.</source>
        <translation>“{name}” não é um arquivo, e sim um link. Links não são seguidos.</translation>
    </message>
    <message>
        <source>There is no folder “{name}” in the project&apos;s folder.</source>
        <translation>Não há pasta “{name}” na pasta do projeto.</translation>
    </message>
    <message>
        <source>There is no file “{name}” in the project&apos;s folder.</source>
        <translation>Não há arquivo “{name}” na pasta do projeto.</translation>
    </message>
    <message>
        <source>You may not read “{name}”.</source>
        <translation>Você não tem permissão para ler “{name}”.</translation>
    </message>
    <message>
        <source>“{name}” cannot be opened: {reason}.</source>
        <translation>“{name}” não pode ser aberto: {reason}.</translation>
    </message>
    <message>
        <source>The file was changed after the change was proposed.</source>
        <translation>O arquivo foi alterado depois que a alteração foi proposta.</translation>
    </message>
    <message>
        <source>Ask the model to read the file again and to propose the change again.</source>
        <translation>Peça ao modelo que leia o arquivo de novo e proponha a alteração outra vez.</translation>
    </message>
    <message>
        <source>The file was removed after the change was proposed.</source>
        <translation>O arquivo foi removido depois que a alteração foi proposta.</translation>
    </message>
    <message>
        <source>There is already a file with that name.</source>
        <translation>Já há um arquivo com esse nome.</translation>
    </message>
    <message>
        <source>The file belongs to another user of this computer.</source>
        <translation>O arquivo pertence a outro usuário deste computador.</translation>
    </message>
    <message>
        <source>The file is write-protected.</source>
        <translation>O arquivo está protegido contra gravação.</translation>
    </message>
    <message>
        <source>Remove the protection, then try again.</source>
        <translation>Remova a proteção e tente novamente.</translation>
    </message>
    <message>
        <source>The disk of “{name}” is full.</source>
        <translation>O disco de “{name}” está cheio.</translation>
    </message>
    <message>
        <source>Free some space, then try again.</source>
        <translation>Libere espaço e tente novamente.</translation>
    </message>
    <message>
        <source>You may not write to “{name}”.</source>
        <translation>Você não tem permissão para gravar em “{name}”.</translation>
    </message>
    <message>
        <source>“{name}” could not be written: {reason}.</source>
        <translation>“{name}” não pôde ser gravado: {reason}.</translation>
    </message>
    <message>
        <source>It no longer knows the session.</source>
        <translation>Ele não conhece mais a sessão.</translation>
    </message>
    <message>
        <source>something</source>
        <translation>outra coisa</translation>
    </message>
    <message>
        <source>It answered with {kind}, not with a message of the protocol. Is its address right?</source>
        <translation>Ele respondeu com {kind}, não com uma mensagem do protocolo. O endereço está certo?</translation>
    </message>
    <message>
        <source>The connection ended before it answered.</source>
        <translation>A conexão terminou antes de ele responder.</translation>
    </message>
    <message>
        <source>It answered with status {status}.</source>
        <translation>Ele respondeu com o status {status}.</translation>
    </message>
    <message>
        <source>ChatDesk does not speak the older transport with two addresses (SSE): is there one that ends with /mcp?</source>
        <translation>O ChatDesk não fala o transporte antigo com dois endereços (SSE): há um que termine em /mcp?</translation>
    </message>
    <message>
        <source>It sent more than {most} values in one message.</source>
        <translation>Ele enviou mais de {most} valores em uma mensagem.</translation>
    </message>
    <message>
        <source>It is larger than {most}.</source>
        <translation>É maior que {most}.</translation>
    </message>
    <message>
        <source>It is not valid base64.</source>
        <translation>Não é base64 válido.</translation>
    </message>
    <message>
        <source>It sent too many requests, or used an id twice, before it read the answers.</source>
        <translation>Ele enviou solicitações demais, ou usou um id duas vezes, antes de ler as respostas.</translation>
    </message>
    <message>
        <source>It was stopped.</source>
        <translation>Foi parado.</translation>
    </message>
    <message>
        <source>It did not answer in time.</source>
        <translation>Ele não respondeu a tempo.</translation>
    </message>
    <message>
        <source>Its answer could not be read ({kind}).</source>
        <translation>A resposta dele não pôde ser lida ({kind}).</translation>
    </message>
    <message>
        <source>It is not running.</source>
        <translation>Ele não está em execução.</translation>
    </message>
    <message>
        <source>The sign-in was declined.</source>
        <translation>A entrada foi recusada.</translation>
    </message>
    <message>
        <source>It ended.</source>
        <translation>Ele terminou.</translation>
    </message>
    <message>
        <source>Its answer does not follow the protocol.</source>
        <translation>A resposta dele não segue o protocolo.</translation>
    </message>
    <message>
        <source>It did not answer in {seconds} s (Settings, Tools).</source>
        <translation>Ele não respondeu em {seconds} s (Configurações, Ferramentas).</translation>
    </message>
    <message>
        <source>The program {name} was not found.</source>
        <translation>O programa {name} não foi encontrado.</translation>
    </message>
    <message>
        <source>The program {name} may not be run.</source>
        <translation>O programa {name} não pode ser executado.</translation>
    </message>
    <message>
        <source>It cannot be reached.</source>
        <translation>Ele não pode ser alcançado.</translation>
    </message>
    <message>
        <source>It refused the connection: {reason}</source>
        <translation>Ele recusou a conexão: {reason}</translation>
    </message>
    <message>
        <source>The connection failed ({kind}).</source>
        <translation>A conexão falhou ({kind}).</translation>
    </message>
    <message>
        <source>It asked to sign in again right after you had signed in.</source>
        <translation>Ele pediu que você entrasse de novo logo depois de ter entrado.</translation>
    </message>
    <message>
        <source>It sends you to a page of another site than the one that would get your sign-in.</source>
        <translation>Ele leva você a uma página de um site diferente do que receberia sua entrada.</translation>
    </message>
    <message>
        <source>It sends sign-ins over an address that others could read.</source>
        <translation>Ele envia as entradas por um endereço que outros poderiam ler.</translation>
    </message>
    <message>
        <source>It sends sign-ins to an address on this computer or its network.</source>
        <translation>Ele envia as entradas para um endereço deste computador ou da rede dele.</translation>
    </message>
    <message>
        <source>Nobody signed in in time.</source>
        <translation>Ninguém entrou a tempo.</translation>
    </message>
    <message>
        <source>It does not let ChatDesk register. Enter the ID of a client that you registered there.</source>
        <translation>Ele não deixa o ChatDesk se registrar. Digite o ID de um cliente que você registrou lá.</translation>
    </message>
    <message>
        <source>It did not accept the sign-in.</source>
        <translation>Ele não aceitou a entrada.</translation>
    </message>
    <message>
        <source>The facts that it gives about signing in contradict each other.</source>
        <translation>Os dados que ele dá sobre a entrada se contradizem.</translation>
    </message>
    <message>
        <source>The server where you sign in could not be reached, or sent too much.</source>
        <translation>O servidor em que você entra não pôde ser alcançado, ou enviou demais.</translation>
    </message>
    <message>
        <source>Signing in failed ({kind}).</source>
        <translation>Não foi possível entrar ({kind}).</translation>
    </message>
    <message>
        <source>It ended with exit code {code}.</source>
        <translation>Ele terminou com o código de saída {code}.</translation>
    </message>
    <message>
        <source>Its output is not valid UTF-8.</source>
        <translation>A saída dele não é UTF-8 válido.</translation>
    </message>
    <message>
        <source>It sent more than {most} in one message.</source>
        <translation>Ele enviou mais de {most} em uma mensagem.</translation>
    </message>
    <message>
        <source>{path} cannot be written: {reason}.</source>
        <translation>{path} não pode ser gravado: {reason}.</translation>
    </message>
    <message>
        <source>There is nothing here.</source>
        <translation>Não há nada aqui.</translation>
    </message>
    <message>
        <source>This answer belongs to no sign-in that ChatDesk waits for.</source>
        <translation>Esta resposta não pertence a nenhuma entrada que o ChatDesk esteja esperando.</translation>
    </message>
    <message>
        <source>The sign-in was declined. You can close this page.</source>
        <translation>A entrada foi recusada. Você pode fechar esta página.</translation>
    </message>
    <message>
        <source>ChatDesk has the answer. You can close this page.</source>
        <translation>O ChatDesk recebeu a resposta. Você pode fechar esta página.</translation>
    </message>
    <message>
        <source>It is not JSON.</source>
        <translation>Não é JSON.</translation>
    </message>
    <message>
        <source>It is cut off.</source>
        <translation>Está cortado.</translation>
    </message>
    <message>
        <source>It is nested {count} levels deep.</source>
        <translation>Está aninhado em {count} níveis.</translation>
    </message>
    <message>
        <source>It is nested too deeply.</source>
        <translation>Está aninhado fundo demais.</translation>
    </message>
    <message>
        <source>The folder of the service {path} cannot be written to: {reason}.</source>
        <translation>Não é possível gravar na pasta do serviço {path}: {reason}.</translation>
    </message>
    <message>
        <source>Check its owner and permissions, or choose another --data-dir.</source>
        <translation>Verifique o dono e as permissões dela, ou escolha outro --data-dir.</translation>
    </message>
    <message>
        <source>The service cannot listen: {reason}.</source>
        <translation>O serviço não pode escutar: {reason}.</translation>
    </message>
    <message>
        <source>Choose another port in the settings, or 0 for any that is free.</source>
        <translation>Escolha outra porta nas configurações, ou 0 para qualquer uma livre.</translation>
    </message>
    <message>
        <source>The address of the service cannot be written: {reason}.</source>
        <translation>O endereço do serviço não pode ser gravado: {reason}.</translation>
    </message>
    <message>
        <source>The settings name another address for the service, but no token may be used there.</source>
        <translation>As configurações indicam outro endereço para o serviço, mas nenhum token pode ser usado lá.</translation>
    </message>
    <message>
        <source>The service was not started.</source>
        <translation>O serviço não foi iniciado.</translation>
    </message>
    <message>
        <source>Make one with &apos;chatdesk tokens new NAME --scope remote&apos;, or leave the address empty.</source>
        <translation>Crie um com &apos;chatdesk tokens new NAME --scope remote&apos; ou deixe o endereço vazio.</translation>
    </message>
    <message>
        <source>The address of the service must be a name or number of this computer with a port.</source>
        <translation>O endereço do serviço deve ser um nome ou número deste computador com uma porta.</translation>
    </message>
    <message>
        <source>For example 192.168.1.5:8443, the address at which others reach this computer.</source>
        <translation>Por exemplo 192.168.1.5:8443, o endereço em que outros alcançam este computador.</translation>
    </message>
    <message>
        <source>Another address than this computer&apos;s own needs TLS.</source>
        <translation>Um endereço que não seja o próprio deste computador precisa de TLS.</translation>
    </message>
    <message>
        <source>Name the files of a certificate and its key in the settings, or leave the address empty.</source>
        <translation>Indique nas configurações os arquivos de um certificado e da chave dele, ou deixe o endereço vazio.</translation>
    </message>
    <message>
        <source>The certificate of the service cannot be used: {reason}.</source>
        <translation>O certificado do serviço não pode ser usado: {reason}.</translation>
    </message>
    <message>
        <source>Both files must be in PEM format and belong together, and the key must have no passphrase.</source>
        <translation>Os dois arquivos devem estar no formato PEM e corresponder um ao outro, e a chave não pode ter frase secreta.</translation>
    </message>
    <message>
        <source>“{origin}” is not the origin of web pages.</source>
        <translation>“{origin}” não é a origem de páginas da web.</translation>
    </message>
    <message>
        <source>An origin is a scheme, a name and a port if there is one: https://tool.example.</source>
        <translation>Uma origem é um esquema, um nome e uma porta, se houver: https://tool.example.</translation>
    </message>
    <message>
        <source>Project folder</source>
        <translation>Pasta do projeto</translation>
    </message>
    <message>
        <source>List a folder of the project</source>
        <translation>Listar uma pasta do projeto</translation>
    </message>
    <message>
        <source>Find files of the project</source>
        <translation>Procurar arquivos do projeto</translation>
    </message>
    <message>
        <source>Read a file of the project</source>
        <translation>Ler um arquivo do projeto</translation>
    </message>
    <message>
        <source>Propose a change to a file of the project</source>
        <translation>Propor uma alteração em um arquivo do projeto</translation>
    </message>
    <message>
        <source>A temporary chat keeps nothing, so no change is proposed in it.</source>
        <translation>Um chat temporário não guarda nada, por isso nenhuma alteração é proposta nele.</translation>
    </message>
    <message>
        <source>Files of a folder can be used on Linux and macOS only.</source>
        <translation>Os arquivos de uma pasta só podem ser usados no Linux e no macOS.</translation>
    </message>
    <message>
        <source>Nothing was read.</source>
        <translation>Nada foi lido.</translation>
    </message>
    <message>
        <source>The project of this thread has no folder on this computer.</source>
        <translation>O projeto desta conversa não tem pasta neste computador.</translation>
    </message>
    <message>
        <source>The web</source>
        <translation>A web</translation>
    </message>
    <message>
        <source>Search the web</source>
        <translation>Pesquisar na web</translation>
    </message>
    <message>
        <source>Read a web page</source>
        <translation>Ler uma página da web</translation>
    </message>
    <message numerus="yes">
        <source>Questions in this thread go to {count} models.</source>
        <comment>Questions in this thread go to {count} model.</comment>
        <translation>
            <numerusform>As perguntas nesta conversa vão para {count} modelo.</numerusform>
            <numerusform>As perguntas nesta conversa vão para {count} modelos.</numerusform>
        </translation>
    </message>
    <message>
        <source>It sent too many messages that nobody asked for, more than {count} in a second.</source>
        <translation>Ele enviou mensagens demais que ninguém pediu, mais de {count} em um segundo.</translation>
    </message>
    <message>
        <source>It wrote too much that nobody asked for, more than {count} bytes in a second.</source>
        <translation>Ele escreveu demais sem que ninguém pedisse, mais de {count} bytes em um segundo.</translation>
    </message>
    <message>
        <source>The server has lost nothing.</source>
        <translation>O servidor não perdeu nada.</translation>
    </message>
    <message>
        <source>“{project}” goes on without them. Every computer fetches it again.</source>
        <translation>“{project}” continua sem elas. Cada computador o busca de novo.</translation>
    </message>
    <message>
        <source>Every computer fetches the project again and sends what its person wrote and still has. What nobody sends stays only where it is now. If there is a backup of the server that has these changes, restore that instead.</source>
        <translation>Cada computador busca o projeto de novo e envia o que a sua pessoa escreveu e ainda tem. O que ninguém envia fica apenas onde está agora. Se houver um backup do servidor com estas alterações, restaure-o.</translation>
    </message>
    <message>
        <source>Whoever joins the project gets only what comes before the first of them.</source>
        <translation>Quem entra no projeto recebe apenas o que vem antes da primeira delas.</translation>
    </message>
    <message>
        <source>An owner of the project can let it go on without them.</source>
        <translation>Um proprietário do projeto pode deixá-lo continuar sem elas.</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes (numbers {first} to {last}), made between {after} and {before}.</source>
        <comment>{count} change (number {first}), made between {after} and {before}.</comment>
        <translation>
            <numerusform>{count} alteração (número {first}), feita entre {after} e {before}.</numerusform>
            <numerusform>{count} alterações (números {first} a {last}), feitas entre {after} e {before}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} changes (numbers {first} to {last}), made since {after}.</source>
        <comment>{count} change (number {first}), made since {after}.</comment>
        <translation>
            <numerusform>{count} alteração (número {first}), feita desde {after}.</numerusform>
            <numerusform>{count} alterações (números {first} a {last}), feitas desde {after}.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} changes (numbers {first} to {last}), the first of the project.</source>
        <comment>{count} change (number {first}), the first of the project.</comment>
        <translation>
            <numerusform>{count} alteração (número {first}), a primeira do projeto.</numerusform>
            <numerusform>{count} alterações (números {first} a {last}), as primeiras do projeto.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>“{project}”: the server has lost {count} changes.</source>
        <comment>“{project}”: the server has lost {count} change.</comment>
        <translation>
            <numerusform>“{project}”: o servidor perdeu {count} alteração.</numerusform>
            <numerusform>“{project}”: o servidor perdeu {count} alterações.</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Let “{project}” go on without {count} changes?</source>
        <comment>Let “{project}” go on without {count} change?</comment>
        <translation>
            <numerusform>Deixar “{project}” continuar sem {count} alteração?</numerusform>
            <numerusform>Deixar “{project}” continuar sem {count} alterações?</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>“{project}”: on {day}, {who} let it go on without {count} changes that the server had lost.</source>
        <comment>“{project}”: on {day}, {who} let it go on without {count} change that the server had lost.</comment>
        <translation>
            <numerusform>“{project}”: em {day}, {who} o deixou continuar sem {count} alteração que o servidor havia perdido.</numerusform>
            <numerusform>“{project}”: em {day}, {who} o deixou continuar sem {count} alterações que o servidor havia perdido.</numerusform>
        </translation>
    </message>
    <message>
        <source>Search your earlier threads</source>
        <translation>Pesquisar suas conversas anteriores</translation>
    </message>
    <message>
        <source>Read an earlier thread</source>
        <translation>Ler uma conversa anterior</translation>
    </message>
    <message>
        <source>Read a file of an earlier thread</source>
        <translation>Ler um arquivo de uma conversa anterior</translation>
    </message>
    <message>
        <source>Results are below: up and down choose, Enter opens one</source>
        <translation>Os resultados estão abaixo: para cima e para baixo escolhem, Enter abre um</translation>
    </message>
    <message>
        <source>Side by side</source>
        <translation>Lado a lado</translation>
    </message>
    <message>
        <source>Searched the web: {what}</source>
        <translation>Pesquisou na web: {what}</translation>
    </message>
    <message>
        <source>Read {what}</source>
        <translation>Leu {what}</translation>
    </message>
    <message>
        <source>Searched your threads: {what}</source>
        <translation>Pesquisou suas conversas: {what}</translation>
    </message>
    <message>
        <source>Looked into the folder {what}</source>
        <translation>Olhou na pasta {what}</translation>
    </message>
    <message>
        <source>Looked for files: {what}</source>
        <translation>Procurou arquivos: {what}</translation>
    </message>
    <message>
        <source>Proposed a change to {what}</source>
        <translation>Propôs uma alteração em {what}</translation>
    </message>
    <message>
        <source>Looked for a tool</source>
        <translation>Procurou uma ferramenta</translation>
    </message>
    <message>
        <source>Asked {server}: {what}</source>
        <translation>Perguntou a {server}: {what}</translation>
    </message>
    <message numerus="yes">
        <source>{count} steps</source>
        <comment>{count} step</comment>
        <translation>
            <numerusform>{count} etapa</numerusform>
            <numerusform>{count} etapas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} failed</source>
        <comment>{count} failed</comment>
        <translation>
            <numerusform>{count} falhou</numerusform>
            <numerusform>{count} falharam</numerusform>
        </translation>
    </message>
    <message>
        <source>Check against the server again, and accept what is missing then. The log was closed up to there already, and no change was lost by that.</source>
        <translation>Verifique novamente com o servidor e aceite o que faltar então. O registro já foi fechado até ali, e com isso nenhuma alteração se perdeu.</translation>
    </message>
    <message>
        <source>An answer in a shared project is still being written.</source>
        <translation>Ainda está sendo escrita uma resposta em um projeto compartilhado.</translation>
    </message>
    <message>
        <source>Wait until it ends, or stop it, then connect again.</source>
        <translation>Espere que ela termine, ou pare-a, e então conecte de novo.</translation>
    </message>
    <message>
        <source>No program opened {address}.</source>
        <translation>Nenhum programa abriu {address}.</translation>
    </message>
    <message>
        <source>{name}, page {page} — {heading}</source>
        <translation>{name}, página {page} — {heading}</translation>
    </message>
    <message>
        <source>{name}, page {page}</source>
        <translation>{name}, página {page}</translation>
    </message>
    <message>
        <source>This looks like a secret.</source>
        <translation>Isto parece um segredo.</translation>
    </message>
    <message>
        <source>Say that it is to be read all the same, or choose another place.</source>
        <translation>Diga que deve ser lido mesmo assim, ou escolha outro local.</translation>
    </message>
    <message>
        <source>There is no file {path}.</source>
        <translation>Não há arquivo {path}.</translation>
    </message>
    <message>
        <source>Choose a file that exists on this computer.</source>
        <translation>Escolha um arquivo que exista neste computador.</translation>
    </message>
    <message>
        <source>“{name}” looks like a secret.</source>
        <translation>“{name}” parece um segredo.</translation>
    </message>
    <message>
        <source>This file is not on this computer.</source>
        <translation>Este arquivo não está neste computador.</translation>
    </message>
    <message>
        <source>There is no folder or file {place}.</source>
        <translation>Não há pasta nem arquivo {place}.</translation>
    </message>
    <message>
        <source>Give the path of a folder or file, or an address that begins with https://.</source>
        <translation>Informe o caminho de uma pasta ou arquivo, ou um endereço que comece com https://.</translation>
    </message>
    <message>
        <source>This folder or file cannot be read.</source>
        <translation>Esta pasta ou este arquivo não pode ser lido.</translation>
    </message>
    <message>
        <source>What was read from it before is kept.</source>
        <translation>O que foi lido antes foi mantido.</translation>
    </message>
    <message>
        <source>Make it available again, or remove it from the files of the project.</source>
        <translation>Torne-o disponível de novo ou remova-o dos arquivos do projeto.</translation>
    </message>
    <message>
        <source>“{name}” is not a file.</source>
        <translation>“{name}” não é um arquivo.</translation>
    </message>
    <message>
        <source>“{name}” is not a folder.</source>
        <translation>“{name}” não é uma pasta.</translation>
    </message>
    <message>
        <source>“{place}” cannot be read: {reason}.</source>
        <translation>“{place}” não pode ser lido: {reason}.</translation>
    </message>
    <message>
        <source>This project does not exist.</source>
        <translation>Este projeto não existe.</translation>
    </message>
    <message>
        <source>“{place}” is among the files of this project already.</source>
        <translation>“{place}” já está entre os arquivos deste projeto.</translation>
    </message>
    <message>
        <source>This folder, file or page is not among the files of a project.</source>
        <translation>Esta pasta, este arquivo ou esta página não está entre os arquivos de um projeto.</translation>
    </message>
    <message>
        <source>Files of the project</source>
        <translation>Arquivos do projeto</translation>
    </message>
    <message>
        <source>Search the files of the project</source>
        <translation>Buscar nos arquivos do projeto</translation>
    </message>
    <message>
        <source>Read on in a file of the project</source>
        <translation>Continuar a leitura de um arquivo do projeto</translation>
    </message>
    <message>
        <source>Read this all the same?</source>
        <translation>Ler isto mesmo assim?</translation>
    </message>
    <message>
        <source>{looks} What it says can go with questions to those who get the files of the project.</source>
        <translation>{looks} O que ele contém pode ir com perguntas a quem recebe os arquivos do projeto.</translation>
    </message>
    <message>
        <source>Read it</source>
        <translation>Ler</translation>
    </message>
    <message>
        <source>Remove this from the files of the project?</source>
        <translation>Remover isto dos arquivos do projeto?</translation>
    </message>
    <message>
        <source>ChatDesk forgets what it read from “{place}”. Nothing is deleted there.</source>
        <translation>O ChatDesk esquece o que leu de “{place}”. Nada é excluído lá.</translation>
    </message>
    <message>
        <source>The passage is not on this page: the file may have changed since it was read.</source>
        <translation>O trecho não está nesta página: o arquivo pode ter mudado desde que foi lido.</translation>
    </message>
    <message>
        <source>This passage is no longer in the files of the project: the file changed, or was removed.</source>
        <translation>Este trecho não está mais nos arquivos do projeto: o arquivo mudou ou foi removido.</translation>
    </message>
    <message>
        <source>The answer is unchanged.</source>
        <translation>A resposta está inalterada.</translation>
    </message>
    <message>
        <source>Ask again to search the files as they are now.</source>
        <translation>Pergunte de novo para buscar nos arquivos como estão agora.</translation>
    </message>
    <message>
        <source>Open the file</source>
        <translation>Abrir o arquivo</translation>
    </message>
    <message>
        <source>Previous page</source>
        <translation>Página anterior</translation>
    </message>
    <message>
        <source>Next page</source>
        <translation>Próxima página</translation>
    </message>
    <message>
        <source>Smaller</source>
        <translation>Menor</translation>
    </message>
    <message>
        <source>Larger</source>
        <translation>Maior</translation>
    </message>
    <message>
        <source>Show the text of the page</source>
        <translation>Mostrar o texto da página</translation>
    </message>
    <message>
        <source>Page</source>
        <translation>Página</translation>
    </message>
    <message>
        <source>Show the page</source>
        <translation>Mostrar a página</translation>
    </message>
    <message>
        <source>Page {page} of {total}</source>
        <translation>Página {page} de {total}</translation>
    </message>
    <message>
        <source>Page {page}</source>
        <translation>Página {page}</translation>
    </message>
    <message>
        <source>Memory is off.</source>
        <translation>A memória está desligada.</translation>
    </message>
    <message>
        <source>Memories are not sent to this provider: you did not allow it.</source>
        <translation>As memórias não são enviadas a este provedor: você não permitiu.</translation>
    </message>
    <message>
        <source>Memories are not sent in a shared project.</source>
        <translation>As memórias não são enviadas em um projeto compartilhado.</translation>
    </message>
    <message>
        <source>Memories are not sent in a temporary chat.</source>
        <translation>As memórias não são enviadas em um chat temporário.</translation>
    </message>
    <message>
        <source>A memory needs a text.</source>
        <translation>Uma memória precisa de um texto.</translation>
    </message>
    <message>
        <source>Write one sentence.</source>
        <translation>Escreva uma frase.</translation>
    </message>
    <message>
        <source>The memory has {count} characters; the most is {most}.</source>
        <translation>A memória tem {count} caracteres; o máximo é {most}.</translation>
    </message>
    <message>
        <source>Shorten it to what matters.</source>
        <translation>Reduza-a ao que importa.</translation>
    </message>
    <message numerus="yes">
        <source>about {count} hours left</source>
        <comment>about {count} hour left</comment>
        <translation>
            <numerusform>falta cerca de {count} hora</numerusform>
            <numerusform>faltam cerca de {count} horas</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>about {count} minutes left</source>
        <comment>about {count} minute left</comment>
        <translation>
            <numerusform>falta cerca de {count} minuto</numerusform>
            <numerusform>faltam cerca de {count} minutos</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>about {count} seconds left</source>
        <comment>about {count} second left</comment>
        <translation>
            <numerusform>falta cerca de {count} segundo</numerusform>
            <numerusform>faltam cerca de {count} segundos</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} look like secrets, not read</source>
        <comment>{count} looks like a secret, not read</comment>
        <translation>
            <numerusform>{count} parece um segredo, não lido</numerusform>
            <numerusform>{count} parecem segredos, não lidos</numerusform>
        </translation>
    </message>
    <message>
        <source>not tried yet</source>
        <translation>ainda não testada</translation>
    </message>
    <message>
        <source>found at place {place}</source>
        <translation>encontrado na posição {place}</translation>
    </message>
    <message>
        <source>not found</source>
        <translation>não encontrado</translation>
    </message>
    <message>
        <source>at place {place}</source>
        <translation>na posição {place}</translation>
    </message>
    <message>
        <source>{outcome} (before: {earlier})</source>
        <translation>{outcome} (antes: {earlier})</translation>
    </message>
    <message>
        <source>Another computer shares “{place}” with this project.</source>
        <translation>Outro computador compartilha “{place}” com este projeto.</translation>
    </message>
    <message>
        <source>Pause it, and ask the person who shares it to end that.</source>
        <translation>Pause-o e peça à pessoa que o compartilha para encerrar isso.</translation>
    </message>
    <message>
        <source>Files are shared by the owners and admins of a shared project, from their own computers.</source>
        <translation>Os arquivos são compartilhados pelos proprietários e administradores de um projeto compartilhado, a partir de seus próprios computadores.</translation>
    </message>
    <message>
        <source>It is damaged and cannot be drawn.</source>
        <translation>Ela está danificada e não pode ser desenhada.</translation>
    </message>
    <message>
        <source>This page cannot be drawn.</source>
        <translation>Esta página não pode ser desenhada.</translation>
    </message>
    <message>
        <source>Read its text instead, or open the file in another program.</source>
        <translation>Leia o texto dela, ou abra o arquivo em outro programa.</translation>
    </message>
    <message>
        <source>Name the model for embeddings.</source>
        <translation>Informe o modelo de embeddings.</translation>
    </message>
    <message>
        <source>The files of this project are never sent to this provider.</source>
        <translation>Os arquivos deste projeto nunca são enviados a este provedor.</translation>
    </message>
    <message>
        <source>Let it have them first, or choose another provider.</source>
        <translation>Permita antes que ele os receba, ou escolha outro provedor.</translation>
    </message>
    <message>
        <source>“{model}” did not answer in time.</source>
        <translation>“{model}” não respondeu a tempo.</translation>
    </message>
    <message>
        <source>No provider can be asked here.</source>
        <translation>Nenhum provedor pode ser consultado aqui.</translation>
    </message>
    <message>
        <source>The vectors of “{model}” cannot be used.</source>
        <translation>Os vetores de “{model}” não podem ser usados.</translation>
    </message>
    <message>
        <source>The vectors of “{model}” have {found} numbers now, and had {known}.</source>
        <translation>Os vetores de “{model}” têm agora {found} números, e antes tinham {known}.</translation>
    </message>
    <message>
        <source>Memory is off, so nothing was remembered.</source>
        <translation>A memória está desligada, então nada foi memorizado.</translation>
    </message>
    <message>
        <source>Nothing was kept.</source>
        <translation>Nada foi mantido.</translation>
    </message>
    <message>
        <source>Turn it on in Settings, Context, Memory.</source>
        <translation>Ligue-a em Configurações, Contexto, Memória.</translation>
    </message>
    <message>
        <source>The memories are unchanged.</source>
        <translation>As memórias não mudaram.</translation>
    </message>
    <message>
        <source>Nothing in the files of the project fits this question.</source>
        <translation>Nada nos arquivos do projeto corresponde a esta pergunta.</translation>
    </message>
    <message>
        <source>What was found in the files of the project did not fit into the request.</source>
        <translation>O que foi encontrado nos arquivos do projeto não coube na solicitação.</translation>
    </message>
    <message>
        <source>The files of the project were not sent: this provider never gets them.</source>
        <translation>Os arquivos do projeto não foram enviados: este provedor nunca os recebe.</translation>
    </message>
    <message>
        <source>Remember facts that you confirm</source>
        <translation>Memorizar os fatos que você confirmar</translation>
    </message>
    <message>
        <source>Off: nothing is kept or sent. What is there stays until you delete it.</source>
        <translation>Desligado: nada é mantido nem enviado. O que existe fica até você excluir.</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>Memória</translation>
    </message>
    <message>
        <source>memories remember facts</source>
        <translation>memórias memorizar lembrar fatos</translation>
    </message>
    <message>
        <source>Propose memories below an answer</source>
        <translation>Propor memórias abaixo de uma resposta</translation>
    </message>
    <message>
        <source>A sentence of your question that is about you. Nothing is kept unless you confirm it.</source>
        <translation>Uma frase da sua pergunta que é sobre você. Nada é mantido sem que você confirme.</translation>
    </message>
    <message>
        <source>A sentence of yours that is about you. Nothing is kept unless you confirm it.</source>
        <translation>Uma frase sua que é sobre você. Nada é mantido sem que você confirme.</translation>
    </message>
    <message>
        <source>Memories take at most</source>
        <translation>As memórias ocupam no máximo</translation>
    </message>
    <message>
        <source>tokens of a request</source>
        <translation>tokens de uma solicitação</translation>
    </message>
    <message>
        <source>Providers that are sent memories</source>
        <translation>Provedores que recebem as memórias</translation>
    </message>
    <message>
        <source>A question and the file that should be found are both needed, in few words.</source>
        <translation>São necessários uma pergunta e o arquivo a ser encontrado, em poucas palavras.</translation>
    </message>
    <message>
        <source>A project keeps at most {count} questions.</source>
        <translation>Um projeto guarda no máximo {count} perguntas.</translation>
    </message>
    <message>
        <source>Remove some first.</source>
        <translation>Remova algumas antes.</translation>
    </message>
    <message>
        <source>Another memory says the same.</source>
        <translation>Outra memória diz o mesmo.</translation>
    </message>
    <message>
        <source>Delete one of the two.</source>
        <translation>Exclua uma das duas.</translation>
    </message>
    <message>
        <source>ChatDesk keeps {most} memories at most.</source>
        <translation>O ChatDesk mantém no máximo {most} memórias.</translation>
    </message>
    <message>
        <source>Delete some that no longer matter.</source>
        <translation>Exclua algumas que não importam mais.</translation>
    </message>
    <message>
        <source>This memory does not exist.</source>
        <translation>Esta memória não existe.</translation>
    </message>
    <message>
        <source>Memories are not sent in a shared project, so none is kept for it alone.</source>
        <translation>As memórias não são enviadas em um projeto compartilhado, então nenhuma é mantida só para ele.</translation>
    </message>
    <message>
        <source>Keep it everywhere.</source>
        <translation>Mantenha-a para todos os lugares.</translation>
    </message>
    <message>
        <source>My computers</source>
        <translation>Meus computadores</translation>
    </message>
    <message>
        <source>Me</source>
        <translation>Eu</translation>
    </message>
    <message>
        <source>The key of your computers cannot be found on this one.</source>
        <translation>A chave dos seus computadores não foi encontrada neste.</translation>
    </message>
    <message>
        <source>Unlock the keyring, or join again with the recovery phrase: &apos;chatdesk computers join&apos;.</source>
        <translation>Desbloqueie o chaveiro, ou entre de novo com a frase de recuperação: &apos;chatdesk computers join&apos;.</translation>
    </message>
    <message>
        <source>This computer cannot keep the key of your computers.</source>
        <translation>Este computador não pode guardar a chave dos seus computadores.</translation>
    </message>
    <message>
        <source>This folder is not empty.</source>
        <translation>Esta pasta não está vazia.</translation>
    </message>
    <message>
        <source>Choose an empty folder, or a new one inside. If your other computer uses this one, join it with the phrase.</source>
        <translation>Escolha uma pasta vazia, ou uma nova dentro dela. Se o seu outro computador usa esta, entre nela com a frase.</translation>
    </message>
    <message>
        <source>No computer of yours has written into this folder, as far as it has arrived here.</source>
        <translation>Nenhum computador seu gravou nesta pasta, até onde ela chegou aqui.</translation>
    </message>
    <message>
        <source>Wait until the folder has been carried here, or look whether it is the right one.</source>
        <translation>Espere a pasta chegar aqui, ou verifique se é a certa.</translation>
    </message>
    <message>
        <source>The recovery phrase is not the one of this folder.</source>
        <translation>A frase de recuperação não é a desta pasta.</translation>
    </message>
    <message>
        <source>Use the phrase that was shown when the first computer began with this folder, or when one was removed since.</source>
        <translation>Use a frase que foi mostrada quando o primeiro computador começou com esta pasta, ou quando algum foi removido depois.</translation>
    </message>
    <message>
        <source>It is there.</source>
        <translation>Ela está lá.</translation>
    </message>
    <message>
        <source>This is a file. Choose a folder.</source>
        <translation>Isto é um arquivo. Escolha uma pasta.</translation>
    </message>
    <message>
        <source>It is made when you go on.</source>
        <translation>Ela é criada quando você continuar.</translation>
    </message>
    <message>
        <source>It is not there, nor is the folder around it. Connect the disk, or look again.</source>
        <translation>Ela não está lá, nem a pasta que a contém. Conecte o disco, ou verifique de novo.</translation>
    </message>
    <message>
        <source>It cannot be written: {reason}.</source>
        <translation>Não é possível gravar nela: {reason}.</translation>
    </message>
    <message>
        <source>It can be written.</source>
        <translation>É possível gravar nela.</translation>
    </message>
    <message>
        <source>Contents</source>
        <translation>Conteúdo</translation>
    </message>
    <message>
        <source>{problem}</source>
        <translation>{problem}</translation>
    </message>
    <message>
        <source>Another computer of yours uses it already. Cancel, and choose Join.</source>
        <translation>Outro computador seu já a usa. Cancele e escolha “Entrar”.</translation>
    </message>
    <message>
        <source>It is a folder of ChatDesk.</source>
        <translation>É uma pasta do ChatDesk.</translation>
    </message>
    <message>
        <source>The folder is empty.</source>
        <translation>A pasta está vazia.</translation>
    </message>
    <message>
        <source>It has other files. Choose an empty folder, or a new one inside.</source>
        <translation>Ela tem outros arquivos. Escolha uma pasta vazia, ou uma nova dentro dela.</translation>
    </message>
    <message>
        <source>This computer has not joined any others.</source>
        <translation>Este computador não se juntou a nenhum outro.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers start&apos; or &apos;join&apos; does that.</source>
        <translation>&apos;chatdesk computers start&apos; ou &apos;join&apos; faz isso.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers status&apos; lists them.</source>
        <translation>&apos;chatdesk computers status&apos; os lista.</translation>
    </message>
    <message>
        <source>The exchange with your other computers is paused.</source>
        <translation>A troca com seus outros computadores está em pausa.</translation>
    </message>
    <message>
        <source>Nothing is read or written in the folder.</source>
        <translation>Nada é lido nem gravado na pasta.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers resume&apos; goes on.</source>
        <translation>&apos;chatdesk computers resume&apos; a retoma.</translation>
    </message>
    <message>
        <source>Name it by its id: &apos;chatdesk computers status --json&apos; has them.</source>
        <translation>Indique-o pelo id: &apos;chatdesk computers status --json&apos; o mostra.</translation>
    </message>
    <message>
        <source>This computer has left the folder, and your chats are kept.</source>
        <translation>Este computador saiu da pasta, e seus chats foram mantidos.</translation>
    </message>
    <message>
        <source>This profile has chats already.</source>
        <translation>Este perfil já tem chats.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers join&apos; merges them with those of the folder.</source>
        <translation>&apos;chatdesk computers join&apos; os mescla com os da pasta.</translation>
    </message>
    <message>
        <source>Several computers are called {name}.</source>
        <translation>Vários computadores se chamam {name}.</translation>
    </message>
    <message>
        <source>None of your computers is called {name}.</source>
        <translation>Nenhum dos seus computadores se chama {name}.</translation>
    </message>
    <message>
        <source>This is the computer that you use.</source>
        <translation>Este é o computador que você está usando.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers leave&apos; forgets the folder.</source>
        <translation>&apos;chatdesk computers leave&apos; esquece a pasta.</translation>
    </message>
    <message>
        <source>The copies that were kept for the folder cannot be removed: {reason}.</source>
        <translation>As cópias guardadas para a pasta não podem ser removidas: {reason}.</translation>
    </message>
    <message>
        <source>Remove {folder} by hand.</source>
        <translation>Remova {folder} manualmente.</translation>
    </message>
    <message>
        <source>This computer has joined already.</source>
        <translation>Este computador já entrou.</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers status&apos;</source>
        <translation>&apos;chatdesk computers status&apos;</translation>
    </message>
    <message>
        <source>That is not a recovery phrase of ChatDesk.</source>
        <translation>Isto não é uma frase de recuperação do ChatDesk.</translation>
    </message>
    <message>
        <source>It has seven groups of four letters and digits. Compare each with what was shown at the start.</source>
        <translation>Ela tem sete grupos de quatro letras e algarismos. Compare cada um com o que foi mostrado no início.</translation>
    </message>
    <message>
        <source>The folder of your computers cannot be reached.</source>
        <translation>A pasta dos seus computadores está fora de alcance.</translation>
    </message>
    <message>
        <source>Connect the disk, or start the program that carries the folder. ChatDesk tries again by itself.</source>
        <translation>Conecte o disco, ou inicie o programa que transporta a pasta. O ChatDesk tenta de novo sozinho.</translation>
    </message>
    <message>
        <source>The folder of your computers belongs to another recovery phrase.</source>
        <translation>A pasta dos seus computadores tem outra frase de recuperação.</translation>
    </message>
    <message>
        <source>Nothing was written there, and everything you wrote is kept on this computer.</source>
        <translation>Nada foi gravado lá, e tudo o que você escreveu é mantido neste computador.</translation>
    </message>
    <message>
        <source>Put the folder back, or forget it and join again. ChatDesk tries again by itself.</source>
        <translation>Ponha a pasta de volta, ou esqueça-a e entre de novo. O ChatDesk tenta de novo sozinho.</translation>
    </message>
    <message>
        <source>The disk with the folder of your computers is full.</source>
        <translation>O disco com a pasta dos seus computadores está cheio.</translation>
    </message>
    <message>
        <source>Make room there. ChatDesk tries again by itself.</source>
        <translation>Libere espaço nele. O ChatDesk tenta de novo sozinho.</translation>
    </message>
    <message>
        <source>The folder of your computers cannot be used: {reason}.</source>
        <translation>A pasta dos seus computadores não pode ser usada: {reason}.</translation>
    </message>
    <message>
        <source>{answer}: {question}</source>
        <translation>{answer}: {question}</translation>
    </message>
    <message>
        <source>not sent: no room</source>
        <translation>não enviado: sem espaço</translation>
    </message>
    <message>
        <source>not sent: does not fit the question</source>
        <translation>não enviado: não corresponde à pergunta</translation>
    </message>
    <message>
        <source>not sent: left out</source>
        <translation>não enviado: deixado de fora</translation>
    </message>
    <message>
        <source>not sent: this provider never gets it</source>
        <translation>não enviado: este provedor nunca o recebe</translation>
    </message>
    <message>
        <source>not sent: no longer in the files</source>
        <translation>não enviado: não está mais nos arquivos</translation>
    </message>
    <message>
        <source>From the files of the project</source>
        <translation>Dos arquivos do projeto</translation>
    </message>
    <message>
        <source>What was found in the files</source>
        <translation>O que foi encontrado nos arquivos</translation>
    </message>
    <message>
        <source>Leave out</source>
        <translation>Deixar de fora</translation>
    </message>
    <message>
        <source>Show the passage</source>
        <translation>Mostrar o trecho</translation>
    </message>
    <message>
        <source>Use again</source>
        <translation>Usar de novo</translation>
    </message>
    <message>
        <source>place {rank}</source>
        <translation>posição {rank}</translation>
    </message>
    <message>
        <source>named in the question</source>
        <translation>citado na pergunta</translation>
    </message>
    <message>
        <source>by words: {place}</source>
        <translation>por palavras: {place}</translation>
    </message>
    <message>
        <source>by meaning: {place}</source>
        <translation>por significado: {place}</translation>
    </message>
    <message>
        <source>the whole file</source>
        <translation>o arquivo inteiro</translation>
    </message>
    <message>
        <source>Memories of this thread</source>
        <translation>Memórias desta conversa</translation>
    </message>
    <message>
        <source>{text}: {fate}, {tokens}</source>
        <translation>{text}: {fate}, {tokens}</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories are sent</source>
        <comment>{count} memory is sent</comment>
        <translation>
            <numerusform>{count} memória é enviada</numerusform>
            <numerusform>{count} memórias são enviadas</numerusform>
        </translation>
    </message>
    <message>
        <source>Send the files of the project to {provider}?</source>
        <translation>Enviar os arquivos do projeto a {provider}?</translation>
    </message>
    <message>
        <source>Send and use</source>
        <translation>Enviar e usar</translation>
    </message>
    <message>
        <source>What is left out</source>
        <translation>O que fica de fora</translation>
    </message>
    <message>
        <source>One rule a line, as in a .gitignore: “drafts/” leaves out a folder, “*.log” an ending, and “!keep.log” takes a file in again. What is left out is forgotten at once.</source>
        <translation>Uma regra por linha, como em um .gitignore: “drafts/” deixa uma pasta de fora, “*.log” uma extensão, e “!keep.log” inclui um arquivo de novo. O que fica de fora é esquecido imediatamente.</translation>
    </message>
    <message>
        <source>Rules</source>
        <translation>Regras</translation>
    </message>
    <message>
        <source>{title}, page {page} of {total}</source>
        <translation>{title}, página {page} de {total}</translation>
    </message>
    <message>
        <source>Who gets these files</source>
        <translation>Quem recebe estes arquivos</translation>
    </message>
    <message>
        <source>Untick a provider, and nothing of the project&apos;s files is ever sent to it: no passage, no whole file, and nothing that tools read in them. Answers stay as they are.</source>
        <translation>Desmarque um provedor, e nada dos arquivos do projeto será enviado a ele: nenhum trecho, nenhum arquivo inteiro e nada que as ferramentas leiam neles. As respostas ficam como estão.</translation>
    </message>
    <message>
        <source>Files that look like secrets</source>
        <translation>Arquivos que parecem segredos</translation>
    </message>
    <message>
        <source>By their names, these usually hold passwords or keys. One that you tick is read, and what it says can go with questions to those who get the files, but never to a team.</source>
        <translation>Pelo nome, eles costumam conter senhas ou chaves. O que você marcar é lido, e o que ele contém pode ir com perguntas a quem recebe os arquivos, mas nunca a uma equipe.</translation>
    </message>
    <message>
        <source>Kept questions</source>
        <translation>Perguntas guardadas</translation>
    </message>
    <message>
        <source>Write questions with the file that each should find. Run them now, and again after something changed.</source>
        <translation>Escreva perguntas com o arquivo que cada uma deve encontrar. Execute-as agora, e de novo depois que algo mudar.</translation>
    </message>
    <message>
        <source>The file to find</source>
        <translation>O arquivo a encontrar</translation>
    </message>
    <message>
        <source>Run all</source>
        <translation>Executar todas</translation>
    </message>
    <message>
        <source>Add a memory</source>
        <translation>Adicionar uma memória</translation>
    </message>
    <message>
        <source>Edit the memory</source>
        <translation>Editar a memória</translation>
    </message>
    <message>
        <source>One sentence</source>
        <translation>Uma frase</translation>
    </message>
    <message>
        <source>What to remember</source>
        <translation>O que memorizar</translation>
    </message>
    <message>
        <source>Where it holds</source>
        <translation>Onde vale</translation>
    </message>
    <message>
        <source>Everywhere</source>
        <translation>Em todos os lugares</translation>
    </message>
    <message>
        <source>Erase it with its message</source>
        <translation>Apagar junto com a mensagem</translation>
    </message>
    <message>
        <source>Deleted: “{text}”</source>
        <translation>Excluída: “{text}”</translation>
    </message>
    <message>
        <source>written by you</source>
        <translation>escrita por você</translation>
    </message>
    <message>
        <source>selected in a message</source>
        <translation>selecionada em uma mensagem</translation>
    </message>
    <message>
        <source>proposed below an answer</source>
        <translation>proposta abaixo de uma resposta</translation>
    </message>
    <message>
        <source>imported</source>
        <translation>importada</translation>
    </message>
    <message>
        <source>from another program</source>
        <translation>de outro programa</translation>
    </message>
    <message>
        <source>A project without a name</source>
        <translation>Um projeto sem nome</translation>
    </message>
    <message>
        <source>imported from {source}</source>
        <translation>importada de {source}</translation>
    </message>
    <message>
        <source>its message is gone</source>
        <translation>a mensagem dela não existe mais</translation>
    </message>
    <message>
        <source>erased with its message</source>
        <translation>apagada com a mensagem</translation>
    </message>
    <message>
        <source>not sent: what it belongs to is in the trash</source>
        <translation>não enviada: aquilo a que ela pertence está na lixeira</translation>
    </message>
    <message>
        <source>not sent: the project is shared</source>
        <translation>não enviada: o projeto é compartilhado</translation>
    </message>
    <message>
        <source>Select the words to remember first.</source>
        <translation>Selecione antes as palavras a memorizar.</translation>
    </message>
    <message>
        <source>Nothing is remembered: memory is off, and an environment variable decides that.</source>
        <translation>Nada é memorizado: a memória está desligada, e uma variável de ambiente decide isso.</translation>
    </message>
    <message>
        <source>Keep “{fact}” as a memory?</source>
        <translation>Manter “{fact}” como memória?</translation>
    </message>
    <message>
        <source>Memory is off. Turn it on and keep “{fact}”?</source>
        <translation>A memória está desligada. Ligá-la e manter “{fact}”?</translation>
    </message>
    <message>
        <source>Turn on and keep</source>
        <translation>Ligar e manter</translation>
    </message>
    <message>
        <source>Kept as a memory.</source>
        <translation>Mantido como memória.</translation>
    </message>
    <message>
        <source>This is remembered already.</source>
        <translation>Isto já está memorizado.</translation>
    </message>
    <message>
        <source>Remember the selection</source>
        <translation>Memorizar a seleção</translation>
    </message>
    <message>
        <source>Memory is off, and an environment variable decides that. Nothing can be kept.</source>
        <translation>A memória está desligada, e uma variável de ambiente decide isso. Nada pode ser mantido.</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent until you turn it on.</source>
        <translation>A memória está desligada: nada é mantido nem enviado até você ligá-la.</translation>
    </message>
    <message>
        <source>In this project</source>
        <translation>Neste projeto</translation>
    </message>
    <message>
        <source>Turn memory on and keep</source>
        <translation>Ligar a memória e manter</translation>
    </message>
    <message>
        <source>Memories in the export</source>
        <translation>Memórias da exportação</translation>
    </message>
    <message>
        <source>Tick all</source>
        <translation>Marcar todas</translation>
    </message>
    <message>
        <source>Remember the ticked ones</source>
        <translation>Memorizar as marcadas</translation>
    </message>
    <message>
        <source>Tick those that ChatDesk shall remember. They are sent to the providers that you allow.</source>
        <translation>Marque as que o ChatDesk deve memorizar. Elas são enviadas aos provedores que você permitir.</translation>
    </message>
    <message>
        <source>Memory is off, so none can be taken. If you turn it on in Settings, Context, Memory and import the file again, ChatDesk keeps those that you tick, and sends them to the providers that you allow.</source>
        <translation>A memória está desligada, então nenhuma pode ser aproveitada. Se você ligá-la em Configurações, Contexto, Memória e importar o arquivo de novo, o ChatDesk mantém as que você marcar e as envia aos provedores que você permitir.</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories in the export</source>
        <comment>{count} memory in the export</comment>
        <translation>
            <numerusform>{count} memória na exportação</numerusform>
            <numerusform>{count} memórias na exportação</numerusform>
        </translation>
    </message>
    <message>
        <source>{count}. {hint}</source>
        <translation>{count}. {hint}</translation>
    </message>
    <message>
        <source>No file or folder of the project has this name: {names}.</source>
        <translation>Nenhum arquivo nem pasta do projeto tem este nome: {names}.</translation>
    </message>
    <message>
        <source>Left out of the project&apos;s files: {names}.</source>
        <translation>Fora dos arquivos do projeto: {names}.</translation>
    </message>
    <message>
        <source>{provider} never gets files of this project: {names}.</source>
        <translation>{provider} nunca recebe arquivos deste projeto: {names}.</translation>
    </message>
    <message>
        <source>Not read yet: {names}.</source>
        <translation>Ainda não lido: {names}.</translation>
    </message>
    <message>
        <source>Cannot be read: {names}.</source>
        <translation>Não pode ser lido: {names}.</translation>
    </message>
    <message>
        <source>Looks like a secret, and is not read: {names}.</source>
        <translation>Parece um segredo e não é lido: {names}.</translation>
    </message>
    <message>
        <source>Everything that you wrote here is kept on this computer, also what had not been sent.</source>
        <translation>Tudo o que você escreveu aqui é mantido neste computador, também o que não tinha sido enviado.</translation>
    </message>
    <message>
        <source>Join again with the new recovery phrase, or forget the folder.</source>
        <translation>Entre de novo com a nova frase de recuperação, ou esqueça a pasta.</translation>
    </message>
    <message>
        <source>Everything that you wrote here is kept on this computer, and merged when you have joined again.</source>
        <translation>Tudo o que você escreveu aqui é mantido neste computador e mesclado quando você entrar de novo.</translation>
    </message>
    <message>
        <source>Join again with the new recovery phrase. If you did not remove any, begin with another folder.</source>
        <translation>Entre de novo com a nova frase de recuperação. Se você não removeu nenhum, comece com outra pasta.</translation>
    </message>
    <message>
        <source>This recovery phrase was replaced when a computer was removed.</source>
        <translation>Esta frase de recuperação foi substituída quando um computador foi removido.</translation>
    </message>
    <message>
        <source>Use the phrase that was shown then.</source>
        <translation>Use a frase que foi mostrada então.</translation>
    </message>
    <message>
        <source>This computer was removed on {computer}.</source>
        <translation>Este computador foi removido em {computer}.</translation>
    </message>
    <message>
        <source>{name} was removed on {computer}, so there is a new recovery phrase.</source>
        <translation>{name} foi removido em {computer}, então há uma nova frase de recuperação.</translation>
    </message>
</context>
</TS>
