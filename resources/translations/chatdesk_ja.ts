<?xml version="1.0" encoding="utf-8"?>
<!DOCTYPE TS>
<TS version="2.1" language="ja" sourcelanguage="en">
<context>
    <name></name>
    <message>
        <source>ChatDesk found no display, and no window of it is open.</source>
        <translation>画面が見つからず、ChatDeskのウィンドウも開いていません。</translation>
    </message>
    <message>
        <source>Nothing was opened or changed.</source>
        <translation>何も開かず、何も変更していません。</translation>
    </message>
    <message>
        <source>Run this in a desktop session, or set DISPLAY or WAYLAND_DISPLAY.</source>
        <translation>デスクトップのセッションで実行するか、DISPLAYまたはWAYLAND_DISPLAYを設定してください。</translation>
    </message>
    <message>
        <source>No display was found, so ChatDesk plays one turn without a window.</source>
        <translation>ディスプレイが見つからないため、ChatDeskはウィンドウなしで1往復だけ実行します。</translation>
    </message>
    <message>
        <source>ask a question and print the answer as it comes</source>
        <translation>質問して、届いた順に回答を表示します</translation>
    </message>
    <message>
        <source>the question; - reads it from stdin</source>
        <translation>質問。-で標準入力から読み込みます</translation>
    </message>
    <message>
        <source>what to do with tool calls: ask (at a terminal), deny, or what to allow: SERVER for all tools of a server and SERVER/TOOL for one; may be repeated</source>
        <translation>ツール呼び出しの扱い: ask (端末でたずねる)、deny (拒否)、または許可するもの。サーバーのすべてのツールはSERVER、1つだけならSERVER/TOOL。繰り返し指定できます</translation>
    </message>
    <message>
        <source>An imported system prompt is sent with the question.</source>
        <translation>インポートしたシステムプロンプトが質問と一緒に送られます。</translation>
    </message>
    <message>
        <source>{name} changed the system prompt; it is sent with the question.</source>
        <translation>{name}がシステムプロンプトを変更しました。質問と一緒に送られます。</translation>
    </message>
    <message>
        <source>Trying again in {seconds} s.</source>
        <translation>{seconds}秒後に再試行します。</translation>
    </message>
    <message>
        <source>The question waits, {count} before it; Ctrl+C cancels.</source>
        <translation>質問は待機中です。前に{count}件あります。Ctrl+Cで取り消せます。</translation>
    </message>
    <message>
        <source>continue this thread (the start of its id is enough)</source>
        <translation>このスレッドを続けます(idの先頭だけで十分です)</translation>
    </message>
    <message>
        <source>ask another version of this question; the old one is kept</source>
        <translation>この質問の別バージョンを尋ねます。元のものは残ります</translation>
    </message>
    <message>
        <source>start a new thread (the default)</source>
        <translation>新しいスレッドを始めます(既定)</translation>
    </message>
    <message>
        <source>model to ask</source>
        <translation>質問するモデル</translation>
    </message>
    <message>
        <source>id of the provider to ask (&apos;chatdesk providers&apos; lists them)</source>
        <translation>質問するプロバイダーのid(&apos;chatdesk providers&apos;で一覧表示)</translation>
    </message>
    <message>
        <source>assistant from the library to ask</source>
        <translation>質問するライブラリのアシスタント</translation>
    </message>
    <message>
        <source>file to attach; may be repeated</source>
        <translation>添付するファイル。繰り返し指定できます</translation>
    </message>
    <message>
        <source>tool servers that the model may use, separated by commas, or none</source>
        <translation>モデルが使えるツールサーバー(カンマ区切り)。使わせない場合はnone</translation>
    </message>
    <message>
        <source>print one JSON object per line: start, text, ..., finish</source>
        <translation>1行に1つのJSONオブジェクトを出力します: start、text、...、finish</translation>
    </message>
    <message>
        <source>ChatDesk keeps trying to save the answer for a while; Ctrl+C stops it.</source>
        <translation>ChatDeskはしばらく回答の保存を試みます。Ctrl+Cで中止します。</translation>
    </message>
    <message>
        <source>The answer was not finished. What had arrived is kept.</source>
        <translation>回答は最後まで届きませんでした。届いた分は保存されています。</translation>
    </message>
    <message>
        <source>how the attached texts are encoded, such as windows-1251</source>
        <translation>添付したテキストの文字コード（例: windows-1251）</translation>
    </message>
    <message>
        <source>“{name}” may be in one of several encodings: {found}.</source>
        <translation>「{name}」の文字コードとして、いくつかの候補があります: {found}。</translation>
    </message>
    <message>
        <source>Name the right one with --encoding.</source>
        <translation>正しいものを --encoding で指定してください。</translation>
    </message>
    <message>
        <source>“{name}” is no text in the encoding {encoding}.</source>
        <translation>「{name}」は文字コード {encoding} のテキストではありません。</translation>
    </message>
    <message>
        <source>Name the encoding in which it was written, such as windows-1251 or shift_jis.</source>
        <translation>書かれたときの文字コードを指定してください（例: windows-1251、shift_jis）。</translation>
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
        <translation>{server}が提供するもの: {names}。</translation>
    </message>
    <message>
        <source>It lists no tools.</source>
        <translation>ツールが1つもありません。</translation>
    </message>
    <message>
        <source>It is switched off: chatdesk tools on {server} switches it on.</source>
        <translation>オフになっています。chatdesk tools on {server}でオンにできます。</translation>
    </message>
    <message>
        <source>It is for the threads of a project with a folder: see chatdesk tools folder.</source>
        <translation>フォルダーのあるプロジェクトのスレッド用です。chatdesk tools folderをご覧ください。</translation>
    </message>
    <message>
        <source>It was not asked for its tools.</source>
        <translation>ツールの問い合わせは行われませんでした。</translation>
    </message>
    <message>
        <source>Answer in the window.</source>
        <translation>ウィンドウで答えてください。</translation>
    </message>
    <message>
        <source>{words} It is allowed with --approve {name}.</source>
        <translation>{words} --approve {name}で許可できます。</translation>
    </message>
    <message>
        <source>It was allowed.</source>
        <translation>許可されました。</translation>
    </message>
    <message>
        <source>It was denied.</source>
        <translation>拒否されました。</translation>
    </message>
    <message>
        <source>The model wants to call {tool} of {server} with</source>
        <translation>モデルが{server}の{tool}を次の内容で呼び出そうとしています</translation>
    </message>
    <message>
        <source>Allow it?</source>
        <translation>許可しますか？</translation>
    </message>
    <message>
        <source>The model wants to call {tool} of {server}. {words}</source>
        <translation>モデルが{server}の{tool}を呼び出そうとしています。{words}</translation>
    </message>
    <message>
        <source>It was denied: nobody can be asked here (see --approve).</source>
        <translation>拒否されました。ここでは誰にも確認できません(--approveを参照)。</translation>
    </message>
    <message>
        <source>A ChatDesk window is open and answers this question, so --tools and --approve cannot be used.</source>
        <translation>ChatDeskのウィンドウが開いていて、この質問に回答するため、--toolsと--approveは使えません。</translation>
    </message>
    <message>
        <source>The question was not sent.</source>
        <translation>質問は送られませんでした。</translation>
    </message>
    <message>
        <source>Choose the tools in the window, or close it.</source>
        <translation>ウィンドウでツールを選ぶか、ウィンドウを閉じてください。</translation>
    </message>
    <message>
        <source>There is no tool server {first}.</source>
        <translation>ツールサーバー{first}はありません。</translation>
    </message>
    <message>
        <source>See &apos;chatdesk tools list&apos;.</source>
        <translation>&apos;chatdesk tools list&apos;を参照してください。</translation>
    </message>
    <message>
        <source>There is no tool server {name}: --approve allows nothing by this name.</source>
        <translation>{name}というツールサーバーはありません。この名前では--approveは何も許可しません。</translation>
    </message>
    <message>
        <source>{name} has several meanings: {names}.</source>
        <translation>{name}には複数の意味があります: {names}。</translation>
    </message>
    <message>
        <source>Give each tool server a name of its own, or use its id (&apos;chatdesk tools list&apos;).</source>
        <translation>ツールサーバーごとに別の名前を付けるか、IDを使ってください (&apos;chatdesk tools list&apos;)。</translation>
    </message>
    <message>
        <source>There are several assistants called {name}.</source>
        <translation>{name}という名前のアシスタントが複数あります。</translation>
    </message>
    <message>
        <source>There is no assistant called {name}.</source>
        <translation>{name}という名前のアシスタントはありません。</translation>
    </message>
    <message>
        <source>There are: {names}.</source>
        <translation>あるもの: {names}。</translation>
    </message>
    <message>
        <source>none</source>
        <translation>なし</translation>
    </message>
    <message>
        <source>write threads as Markdown, JSON, HTML or PDF</source>
        <translation>スレッドをMarkdown、JSON、HTML、PDFで書き出します</translation>
    </message>
    <message>
        <source>all threads of this project (its name or id)</source>
        <translation>このプロジェクト(名前またはid)のすべてのスレッド</translation>
    </message>
    <message>
        <source>make a backup now</source>
        <translation>今すぐバックアップを作成します</translation>
    </message>
    <message>
        <source>have the same chats on your own computers, through a folder</source>
        <translation>フォルダーを通じて、自分のコンピューターで同じチャットを使います</translation>
    </message>
    <message>
        <source>an empty folder that something carries to your other computers</source>
        <translation>ほかの自分のコンピューターへ同期される空のフォルダー</translation>
    </message>
    <message>
        <source>begin with the first computer, and print the recovery phrase once</source>
        <translation>最初のコンピューターで始め、リカバリーフレーズを一度だけ表示します</translation>
    </message>
    <message>
        <source>join with a further computer, or again with a restored one</source>
        <translation>2台目以降のコンピューター、または復元したコンピューターで参加します</translation>
    </message>
    <message>
        <source>the same folder as on the other computers</source>
        <translation>ほかのコンピューターと同じフォルダー</translation>
    </message>
    <message>
        <source>read the recovery phrase from FILE; else it is asked for</source>
        <translation>リカバリーフレーズをFILEから読み込みます。指定しない場合は入力を求めます</translation>
    </message>
    <message>
        <source>do not ask</source>
        <translation>確認しません</translation>
    </message>
    <message>
        <source>write what is new here into the folder, and read what others wrote</source>
        <translation>ここの新しい内容をフォルダーに書き込み、ほかのコンピューターの内容を読み込みます</translation>
    </message>
    <message>
        <source>remove a computer, such as a lost one, and make a new recovery phrase</source>
        <translation>紛失したものなど、コンピューターを外し、新しいリカバリーフレーズを作成します</translation>
    </message>
    <message>
        <source>the name or id of the computer</source>
        <translation>コンピューターの名前またはid</translation>
    </message>
    <message>
        <source>wait at most this long ({seconds})</source>
        <translation>最長でこの秒数だけ待ちます({seconds})</translation>
    </message>
    <message>
        <source>bring everything back on an empty profile, with the recovery phrase</source>
        <translation>空のプロファイルに、リカバリーフレーズですべてを戻します</translation>
    </message>
    <message>
        <source>show your computers, and what waits</source>
        <translation>自分のコンピューターと、待機中のものを表示します</translation>
    </message>
    <message>
        <source>stop reading and writing the folder, until &apos;resume&apos;</source>
        <translation>&apos;resume&apos;まで、フォルダーの読み書きを停止します</translation>
    </message>
    <message>
        <source>read and write the folder again</source>
        <translation>フォルダーの読み書きを再開します</translation>
    </message>
    <message>
        <source>forget the folder; everything stays on this computer</source>
        <translation>フォルダーを使うのをやめます。すべてこのコンピューターに残ります</translation>
    </message>
    <message>
        <source>A folder has a name.</source>
        <translation>フォルダーには名前が必要です。</translation>
    </message>
    <message>
        <source>Name one that others carry.</source>
        <translation>ほかのプログラムが同期しているフォルダーを指定してください。</translation>
    </message>
    <message>
        <source>This is no folder.</source>
        <translation>これはフォルダーではありません。</translation>
    </message>
    <message>
        <source>The file with the recovery phrase cannot be read: {reason}.</source>
        <translation>リカバリーフレーズのファイルを読み込めません: {reason}。</translation>
    </message>
    <message>
        <source>A computer has a name.</source>
        <translation>コンピューターには名前が必要です。</translation>
    </message>
    <message>
        <source>It keeps your computers in step by itself. Close it to do this here.</source>
        <translation>自分のコンピューターは自動的に同期されます。ここで実行するには、ChatDeskを閉じてください。</translation>
    </message>
    <message>
        <source>This is your recovery phrase. Write it down: your other computers need it, and with it alone you get your chats back. Whoever has it and the folder can read everything. It is not shown again.</source>
        <translation>これがリカバリーフレーズです。書き留めてください。ほかのコンピューターで必要になり、これだけでチャットを取り戻せます。これとフォルダーを持つ人は、すべてを読むことができます。再び表示されることはありません。</translation>
    </message>
    <message>
        <source>Recovery phrase: </source>
        <translation>リカバリーフレーズ: </translation>
    </message>
    <message>
        <source>The folder has {size} and is used by: {computers}.</source>
        <translation>フォルダーのサイズは{size}、使っているコンピューターは{computers}です。</translation>
    </message>
    <message>
        <source>Bring everything here?</source>
        <translation>すべてをここに取り込みますか？</translation>
    </message>
    <message>
        <source>Merge the chats of this computer with theirs?</source>
        <translation>このコンピューターのチャットを統合しますか？</translation>
    </message>
    <message>
        <source>Remove {name}? Your other computers then need the new recovery phrase, which is shown. {name} keeps, and can read, everything that it had, and gets nothing new.</source>
        <translation>{name}を外しますか？その後、ほかのコンピューターでは、表示される新しいリカバリーフレーズが必要になります。{name}には、これまでの内容がすべて残り、読むことができますが、新しいものは届きません。</translation>
    </message>
    <message>
        <source>{name} was removed. Join again with the new phrase on your other computers.</source>
        <translation>{name}を外しました。ほかのコンピューターでは、新しいフレーズでもう一度参加してください。</translation>
    </message>
    <message>
        <source>Paused: nothing is read or written there.</source>
        <translation>一時停止中: そこでは何も読み書きされません。</translation>
    </message>
    <message>
        <source>Your computers are kept in step again.</source>
        <translation>自分のコンピューターの同期を再開しました。</translation>
    </message>
    <message>
        <source>{name} (this one)</source>
        <translation>{name}(このコンピューター)</translation>
    </message>
    <message>
        <source>{computer}, last here {moment}</source>
        <translation>{computer}、最後に使用: {moment}</translation>
    </message>
    <message numerus="yes">
        <source>{count} files of it have not arrived yet</source>
        <comment>{count} file of it has not arrived yet</comment>
        <translation>
            <numerusform>ファイル{count}個がまだ届いていません</numerusform>
        </translation>
    </message>
    <message>
        <source>the folder has older files of it than before</source>
        <translation>フォルダーにあるこのコンピューターのファイルが、以前より古くなっています</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes are not in the folder yet. Your other computers do not get them.</source>
        <comment>{count} change is not in the folder yet. Your other computers do not get it.</comment>
        <translation>
            <numerusform>{count}件の変更がまだフォルダーにありません。ほかのコンピューターには届きません。</numerusform>
        </translation>
    </message>
    <message>
        <source>Forget the folder {folder}? Its projects stay here as private ones.</source>
        <translation>フォルダー{folder}を使うのをやめますか？プロジェクトは個人用としてここに残ります。</translation>
    </message>
    <message>
        <source>This computer has left {folder}. The files there stay for your other computers, and nobody can read them without the recovery phrase. With it you can join again.</source>
        <translation>このコンピューターは{folder}から離れました。中のファイルはほかのコンピューターのために残り、リカバリーフレーズがなければ誰も読めません。リカバリーフレーズがあれば、もう一度参加できます。</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers sync&apos; continues.</source>
        <translation>&apos;chatdesk computers sync&apos;で続行できます。</translation>
    </message>
    <message>
        <source>Join again with the recovery phrase: &apos;chatdesk computers join&apos;.</source>
        <translation>リカバリーフレーズでもう一度参加してください: &apos;chatdesk computers join&apos;。</translation>
    </message>
    <message>
        <source>Everything is in the folder, and everything in the folder is here.</source>
        <translation>すべてがフォルダーにあり、フォルダーの内容はすべてここにあります。</translation>
    </message>
    <message>
        <source>Attached files are on their way.</source>
        <translation>添付ファイルを転送中です。</translation>
    </message>
    <message numerus="yes">
        <source>{count} files in the folder are incomplete, or were changed. What they bring waits.</source>
        <comment>{count} file in the folder is incomplete, or was changed. What it brings waits.</comment>
        <translation>
            <numerusform>フォルダー内の{count}個のファイルが不完全か、変更されています。その内容は待機中です。</numerusform>
        </translation>
    </message>
    <message>
        <source>It is at {path}.</source>
        <translation>{path}にあります。</translation>
    </message>
    <message>
        <source>This format needs a file or folder to write to.</source>
        <translation>この形式には書き込み先のファイルかフォルダーが必要です。</translation>
    </message>
    <message>
        <source>Give one with --output.</source>
        <translation>--outputで指定してください。</translation>
    </message>
    <message>
        <source>Choose threads, a project, or everything, but not two of them.</source>
        <translation>スレッド、プロジェクト、すべてのうち、1つだけを選んでください。</translation>
    </message>
    <message>
        <source>Leave one of them out.</source>
        <translation>どちらかを外してください。</translation>
    </message>
    <message>
        <source>Nothing to export was named.</source>
        <translation>エクスポートするものが指定されていません。</translation>
    </message>
    <message>
        <source>Give a thread, --project NAME or --all.</source>
        <translation>スレッド、--project NAME、--allのいずれかを指定してください。</translation>
    </message>
    <message>
        <source>id of the thread, or the start of it</source>
        <translation>スレッドのid、またはその先頭</translation>
    </message>
    <message>
        <source>everything</source>
        <translation>すべて</translation>
    </message>
    <message>
        <source>include the trash</source>
        <translation>ゴミ箱の中のものも含めます</translation>
    </message>
    <message>
        <source>file to write (with json, a .zip includes the attachments), or a folder for several threads</source>
        <translation>書き込むファイル(jsonの場合、.zipなら添付ファイルも含みます)。複数のスレッドの場合はフォルダー</translation>
    </message>
    <message>
        <source>zip file to write, with the database and all attachments</source>
        <translation>書き込むzipファイル。データベースとすべての添付ファイルを含みます</translation>
    </message>
    <message>
        <source>replace the database with a backup</source>
        <translation>データベースをバックアップに置き換えます</translation>
    </message>
    <message>
        <source>path of the backup, or its name in the backup directory</source>
        <translation>バックアップのパス、またはバックアップディレクトリ内の名前</translation>
    </message>
    <message>
        <source>list the backups, newest first</source>
        <translation>バックアップを新しい順に一覧表示します</translation>
    </message>
    <message>
        <source>an attachment was left out: {sentence}</source>
        <translation>添付ファイルを1つ除きました: {sentence}</translation>
    </message>
    <message>
        <source>A window is open on this data directory, and it makes the regular backups.</source>
        <translation>このデータディレクトリでウィンドウが開いていて、定期バックアップを作成しています。</translation>
    </message>
    <message>
        <source>Use Settings, Data and backup, Back up now; or give a FILE.</source>
        <translation>「設定」の「データとバックアップ」で「今すぐバックアップ」を使うか、FILEを指定してください。</translation>
    </message>
    <message>
        <source>Close the window, or choose another --data-dir.</source>
        <translation>ウィンドウを閉じるか、別の--data-dirを選んでください。</translation>
    </message>
    <message>
        <source>Replace the current database with it? The current one is kept.</source>
        <translation>現在のデータベースをこれに置き換えますか？現在のものは保管されます。</translation>
    </message>
    <message>
        <source>No backup was named.</source>
        <translation>バックアップが指定されていません。</translation>
    </message>
    <message>
        <source>&apos;chatdesk restore --list&apos; lists them.</source>
        <translation>&apos;chatdesk restore --list&apos;で一覧を表示できます。</translation>
    </message>
    <message>
        <source>nothing was changed</source>
        <translation>何も変更されていません</translation>
    </message>
    <message>
        <source>The backup was restored.</source>
        <translation>バックアップを復元しました。</translation>
    </message>
    <message>
        <source>The database as it was before is kept at {kept}.</source>
        <translation>以前のデータベースは{kept}に保管されています。</translation>
    </message>
    <message>
        <source>{file}, made {time}</source>
        <translation>{file}、作成日時{time}</translation>
    </message>
    <message>
        <source>Threads: {threads}, messages: {messages}, schema version {schema}</source>
        <translation>スレッド: {threads}、メッセージ: {messages}、スキーマバージョン{schema}</translation>
    </message>
    <message>
        <source>Close the window, or use Settings, Data and backup, Repair in it.</source>
        <translation>ウィンドウを閉じるか、その「設定」の「データとバックアップ」で「修復」を使ってください。</translation>
    </message>
    <message>
        <source>The database could not be upgraded as it was, so a copy of it was repaired and upgraded.</source>
        <translation>データベースをそのままではアップグレードできなかったため、コピーを修復してアップグレードしました。</translation>
    </message>
    <message>
        <source>The database was damaged; what could be read was copied into a new one.</source>
        <translation>データベースが破損していたため、読み取れたものを新しいデータベースにコピーしました。</translation>
    </message>
    <message>
        <source>The damaged one is kept at {kept}. Compare with &apos;chatdesk restore --list&apos;: a backup may hold more.</source>
        <translation>破損したものは{kept}に保管されています。&apos;chatdesk restore --list&apos;と比べてください。バックアップのほうが多く残っている場合があります。</translation>
    </message>
    <message>
        <source>fill a data directory with made-up threads</source>
        <translation>データディレクトリを架空のスレッドで満たします</translation>
    </message>
    <message>
        <source>make about N messages in total (500)</source>
        <translation>合計でおよそN件のメッセージを作成します(500)</translation>
    </message>
    <message>
        <source>seed for the made-up texts; another number makes other texts (1)</source>
        <translation>架空のテキストのシード。別の数にすると別のテキストになります (1)</translation>
    </message>
    <message>
        <source>add them even if there are threads already</source>
        <translation>すでにスレッドがあっても追加します</translation>
    </message>
    <message>
        <source>At most {most_messages} messages can be made at once.</source>
        <translation>一度に作成できるメッセージは最大{most_messages}件です。</translation>
    </message>
    <message>
        <source>Choose fewer.</source>
        <translation>数を減らしてください。</translation>
    </message>
    <message>
        <source>ChatDesk is open on this data directory.</source>
        <translation>このデータディレクトリでChatDeskが開いています。</translation>
    </message>
    <message>
        <source>Close it, or choose another one.</source>
        <translation>閉じるか、別のディレクトリを選んでください。</translation>
    </message>
    <message>
        <source>There are threads in this data directory already ({count}).</source>
        <translation>このデータディレクトリにはすでにスレッドがあります({count}件)。</translation>
    </message>
    <message>
        <source>Choose an empty one with --data-dir, or give --add to put the made-up ones among them.</source>
        <translation>--data-dirで空のディレクトリを選ぶか、--addで架空のスレッドを追加してください。</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads</source>
        <comment>{count} thread</comment>
        <translation>
            <numerusform>{count}件のスレッド</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages</source>
        <comment>{count} message</comment>
        <translation>
            <numerusform>{count}件のメッセージ</numerusform>
        </translation>
    </message>
    <message>
        <source>Made {threads} with {messages}.</source>
        <translation>{threads}を作成しました({messages})。</translation>
    </message>
    <message>
        <source>written to {file}; look through it before you send it</source>
        <translation>{file}に書き込みました。送る前に内容を確認してください</translation>
    </message>
    <message>
        <source>This process may open only {limit} files at once, and ChatDesk needs at least {needed}.</source>
        <translation>このプロセスが同時に開けるファイルは{limit}個までですが、ChatDeskには少なくとも{needed}個必要です。</translation>
    </message>
    <message>
        <source>Raise the limit (ulimit -n 256), then try again.</source>
        <translation>上限を上げて(ulimit -n 256)、もう一度試してください。</translation>
    </message>
    <message>
        <source>Check its owner and permissions, or choose another with --data-dir.</source>
        <translation>所有者と権限を確認するか、--data-dirで別のものを選んでください。</translation>
    </message>
    <message>
        <source>The data directory cannot be used: {file} is a file.</source>
        <translation>データディレクトリを使えません: {file}はファイルです。</translation>
    </message>
    <message>
        <source>Choose a directory with --data-dir.</source>
        <translation>--data-dirでディレクトリを選んでください。</translation>
    </message>
    <message>
        <source>The data directory cannot be used: The disk of {directory} is full.</source>
        <translation>データディレクトリを使えません: {directory}のディスクがいっぱいです。</translation>
    </message>
    <message>
        <source>Free some space, or choose another with --data-dir.</source>
        <translation>空き容量を増やすか、--data-dirで別のものを選んでください。</translation>
    </message>
    <message>
        <source>The data directory cannot be used: {file} may not be opened or made by this user.</source>
        <translation>データディレクトリを使えません: このユーザーは{file}を開くことも作成することもできません。</translation>
    </message>
    <message>
        <source>The data directory cannot be used: {reason}: {file}.</source>
        <translation>データディレクトリを使えません: {reason}: {file}。</translation>
    </message>
    <message>
        <source>Nothing was changed.</source>
        <translation>何も変更されていません。</translation>
    </message>
    <message>
        <source>This process may not open more files at once.</source>
        <translation>このプロセスはこれ以上同時にファイルを開けません。</translation>
    </message>
    <message>
        <source>What was saved before is unchanged.</source>
        <translation>以前に保存したものは変わっていません。</translation>
    </message>
    <message>
        <source>The system gives this process no more memory or threads.</source>
        <translation>システムがこのプロセスにこれ以上のメモリやスレッドを割り当てません。</translation>
    </message>
    <message>
        <source>Close other programs or raise the limits (ulimit), then try again.</source>
        <translation>ほかのプログラムを閉じるか、上限を上げて(ulimit)、もう一度試してください。</translation>
    </message>
    <message>
        <source>put the threads into this project (by default one named after the program)</source>
        <translation>スレッドをこのプロジェクトに入れます(既定はプログラム名のプロジェクト)</translation>
    </message>
    <message>
        <source>import an export of ChatDesk or of another program</source>
        <translation>ChatDeskまたはほかのプログラムのエクスポートをインポートします</translation>
    </message>
    <message>
        <source>export of another program: a zip, JSON, JSON Lines or CSV file, or a folder</source>
        <translation>他のプログラムのエクスポート: ZIP、JSON、JSON Lines、CSVファイル、またはフォルダー</translation>
    </message>
    <message>
        <source>remember the facts that ChatGPT or Claude remembered, too</source>
        <translation>ChatGPTやClaudeが記憶していた事柄も記憶します</translation>
    </message>
    <message>
        <source>only report what would be imported</source>
        <translation>インポートされる内容を報告するだけにします</translation>
    </message>
    <message>
        <source>print the report as JSON</source>
        <translation>報告をJSONで出力します</translation>
    </message>
    <message>
        <source>Import the file in its window, or close it first.</source>
        <translation>そのウィンドウでファイルをインポートするか、先に閉じてください。</translation>
    </message>
    <message numerus="yes">
        <source>{percent} %  {count} threads</source>
        <comment>{percent} %  {count} thread</comment>
        <translation>
            <numerusform>{percent} %  {count}件のスレッド</numerusform>
        </translation>
    </message>
    <message>
        <source>Reading the files, so that a search finds what is in them…</source>
        <translation>検索で中身が見つかるように、ファイルを読み込んでいます …</translation>
    </message>
    <message>
        <source>Memory: {text}</source>
        <translation>メモリー: {text}</translation>
    </message>
    <message>
        <source>--memories keeps them, and they are sent to the providers that you allow.</source>
        <translation>--memoriesを付けると保存され、許可したプロバイダーに送られます。</translation>
    </message>
    <message>
        <source>Memory is off. Once it is on, --memories keeps them, for the providers that you allow.</source>
        <translation>メモリーはオフです。オンにした後で--memoriesを付けると、許可したプロバイダー用に保存されます。</translation>
    </message>
    <message>
        <source>check the database, the paths and the providers</source>
        <translation>データベース、パス、プロバイダーを確認します</translation>
    </message>
    <message>
        <source>answer from your own files</source>
        <translation>自分のファイルをもとに回答します</translation>
    </message>
    <message>
        <source>add a folder, a file or a web page, and read it</source>
        <translation>フォルダー、ファイル、Webページを追加して読み込みます</translation>
    </message>
    <message>
        <source>list what a project has, and how far it is read</source>
        <translation>プロジェクトにあるものと、読み込みの進み具合を一覧表示します</translation>
    </message>
    <message>
        <source>find the passages that fit a question</source>
        <translation>質問に合う箇所を探します</translation>
    </message>
    <message>
        <source>try questions with the file that should be found</source>
        <translation>見つかるべきファイルを添えて質問を試します</translation>
    </message>
    <message>
        <source>forget a folder, file or page</source>
        <translation>フォルダー、ファイル、ページの読み込んだ内容を破棄します</translation>
    </message>
    <message>
        <source>choose what the team of a shared project gets of it</source>
        <translation>共有プロジェクトのチームに渡す範囲を選びます</translation>
    </message>
    <message>
        <source>choose what makes the vectors for finding by meaning</source>
        <translation>意味で検索するためのベクトルの作成元を選びます</translation>
    </message>
    <message>
        <source>list the providers that get the files, or never do</source>
        <translation>ファイルを受け取るプロバイダーと、受け取らないプロバイダーを一覧表示します</translation>
    </message>
    <message>
        <source>folder, file, or address of a web page</source>
        <translation>フォルダー、ファイル、またはWebページのアドレス</translation>
    </message>
    <message>
        <source>leave out what a line of a .gitignore would</source>
        <translation>.gitignoreの1行と同じ規則で除外します</translation>
    </message>
    <message>
        <source>read it though its name looks like that of a secret</source>
        <translation>名前が秘密情報のように見えても読み込みます</translation>
    </message>
    <message>
        <source>what you want to know</source>
        <translation>知りたいこと</translation>
    </message>
    <message>
        <source>at most N passages (8)</source>
        <translation>最大N件の箇所(8)</translation>
    </message>
    <message>
        <source>JSON list of objects with a question and a file; - reads stdin; without it, the kept questions</source>
        <translation>質問(question)とファイル(file)を持つオブジェクトのJSONリスト。-はstdinから読み込みます。指定しない場合は保存した質問を使います</translation>
    </message>
    <message>
        <source>keep those of FILE, and try all that are kept</source>
        <translation>FILEの質問を保存し、保存した質問をすべて試します</translation>
    </message>
    <message>
        <source>nothing, its name, or the text of its files too</source>
        <translation>何も渡さない、名前だけ、またはファイルのテキストも</translation>
    </message>
    <message>
        <source>a model for embeddings of one of your providers</source>
        <translation>プロバイダーのいずれかにある埋め込み用モデル</translation>
    </message>
    <message>
        <source>the vectors that come with ChatDesk, without a network</source>
        <translation>ChatDesk付属のベクトル。ネットワークは使いません</translation>
    </message>
    <message>
        <source>with --model: do it, after its cost was told</source>
        <translation>--modelと併用: 費用を表示した後、実行します</translation>
    </message>
    <message>
        <source>never send the files of the project to it</source>
        <translation>プロジェクトのファイルをこのプロバイダーに送らないようにします</translation>
    </message>
    <message>
        <source>send them again</source>
        <translation>再び送るようにします</translation>
    </message>
    <message>
        <source>its id or place, as listed</source>
        <translation>一覧に表示されたidまたは場所</translation>
    </message>
    <message>
        <source>as JSON</source>
        <translation>JSON形式</translation>
    </message>
    <message>
        <source>The question is empty.</source>
        <translation>質問が空です。</translation>
    </message>
    <message>
        <source>There is no file of questions to keep.</source>
        <translation>保存する質問のファイルがありません。</translation>
    </message>
    <message>
        <source>Give a FILE with --keep.</source>
        <translation>--keepと一緒にFILEを指定してください。</translation>
    </message>
    <message>
        <source>“{file}” is no JSON list of objects with a question and a file.</source>
        <translation>「{file}」は、質問(question)とファイル(file)を持つオブジェクトのJSONリストではありません。</translation>
    </message>
    <message>
        <source>Write: {example}</source>
        <translation>書き方: {example}</translation>
    </message>
    <message>
        <source>“{model}” is no provider and model.</source>
        <translation>「{model}」はプロバイダーとモデルの組ではありません。</translation>
    </message>
    <message>
        <source>--yes belongs to --model.</source>
        <translation>--yesは--modelと一緒に使います。</translation>
    </message>
    <message>
        <source>ChatDesk is open and reads the files of projects.</source>
        <translation>ChatDeskが開いていて、プロジェクトのファイルを読み込んでいます。</translation>
    </message>
    <message>
        <source>Change them in the window, in the project&apos;s Files, or close ChatDesk first.</source>
        <translation>ウィンドウの「プロジェクトのファイル」で変更するか、先にChatDeskを閉じてください。</translation>
    </message>
    <message>
        <source>looks like a secret, not read</source>
        <translation>秘密情報のように見えるため、読み込んでいません</translation>
    </message>
    <message>
        <source>, page {page}</source>
        <translation>、{page}ページ</translation>
    </message>
    <message>
        <source>No questions are kept for this project.</source>
        <translation>このプロジェクトには保存した質問がありません。</translation>
    </message>
    <message>
        <source>Give a FILE with --keep, or add some in the window, in the project&apos;s Files.</source>
        <translation>--keepと一緒にFILEを指定するか、ウィンドウの「プロジェクトのファイル」で追加してください。</translation>
    </message>
    <message>
        <source>{hits} of {total} among the first five</source>
        <translation>{total}件中{hits}件が上位5件に入りました</translation>
    </message>
    <message>
        <source>The project has no such folder, file or page.</source>
        <translation>プロジェクトにそのようなフォルダー、ファイル、ページはありません。</translation>
    </message>
    <message>
        <source>See &apos;chatdesk knowledge list&apos;.</source>
        <translation>&apos;chatdesk knowledge list&apos;を参照してください。</translation>
    </message>
    <message>
        <source>There is no provider “{provider}”.</source>
        <translation>プロバイダー「{provider}」はありません。</translation>
    </message>
    <message>
        <source>See &apos;chatdesk providers list&apos;.</source>
        <translation>&apos;chatdesk providers list&apos;を参照してください。</translation>
    </message>
    <message>
        <source>gets the files</source>
        <translation>ファイルを受け取ります</translation>
    </message>
    <message>
        <source>Nothing was sent or changed. Add --yes to do it.</source>
        <translation>何も送られず、何も変更されていません。実行するには--yesを付けてください。</translation>
    </message>
    <message numerus="yes">
        <source>{count} files read</source>
        <comment>{count} file read</comment>
        <translation>
            <numerusform>{count}個のファイルを読み込み済み</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} to be read</source>
        <comment>{count} to be read</comment>
        <translation>
            <numerusform>読み込み待ち{count}件</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} cannot be read</source>
        <comment>{count} cannot be read</comment>
        <translation>
            <numerusform>{count}件は読み込めません</numerusform>
        </translation>
    </message>
    <message>
        <source>paused</source>
        <translation>一時停止中</translation>
    </message>
    <message>
        <source>keep all data in DIR (or set CHATDESK_DATA_DIR)</source>
        <translation>すべてのデータをDIRに保存します(CHATDESK_DATA_DIRでも指定できます)</translation>
    </message>
    <message>
        <source>write more to the log, and to stderr too</source>
        <translation>より詳しいログを記録し、stderrにも出力します</translation>
    </message>
    <message>
        <source>Chat with language models. Without a command, the window opens.</source>
        <translation>言語モデルとチャットします。コマンドがなければウィンドウが開きます。</translation>
    </message>
    <message>
        <source>also write a zip to attach to a bug report</source>
        <translation>不具合の報告に添付するzipも書き出します</translation>
    </message>
    <message>
        <source>repair the database, keeping a copy of it</source>
        <translation>データベースを修復します。元のコピーは残します</translation>
    </message>
    <message>
        <source>The output could not be written: {reason}.</source>
        <translation>出力を書き込めませんでした: {reason}。</translation>
    </message>
    <message>
        <source>unrecognized arguments: {unknown}</source>
        <translation>認識できない引数: {unknown}</translation>
    </message>
    <message>
        <source>Something unexpected happened: {title}. Your messages are kept.</source>
        <translation>予期しないことが起きました: {title}。メッセージは保存されています。</translation>
    </message>
    <message>
        <source>A report is in {path}.</source>
        <translation>レポートは{path}にあります。</translation>
    </message>
    <message>
        <source>let an editor or assistant read threads (MCP, stdio)</source>
        <translation>エディターやアシスタントにスレッドを読ませます(MCP、stdio)</translation>
    </message>
    <message>
        <source>also allow ask, write (drafts), or ask,write</source>
        <translation>ask、write(下書き)、またはask,writeも許可します</translation>
    </message>
    <message>
        <source>it must be ask, write, or ask,write</source>
        <translation>ask、write、ask,writeのいずれかでなければなりません</translation>
    </message>
    <message>
        <source>Give the id of a thread, a link that begins with chatdesk://, or the path of a file.</source>
        <translation>スレッドのID、chatdesk://で始まるリンク、またはファイルのパスを指定してください。</translation>
    </message>
    <message>
        <source>“{target}” is neither a thread, a link nor a file that is there.</source>
        <translation>「{target}」はスレッドでも、リンクでも、存在するファイルでもありません。</translation>
    </message>
    <message>
        <source>show a thread, a link or a file in the window</source>
        <translation>スレッド、リンク、ファイルをウィンドウに表示します</translation>
    </message>
    <message>
        <source>the id of a thread, a link (chatdesk://…), an export of chats or an invitation</source>
        <translation>スレッドのid、リンク(chatdesk://…)、チャットのエクスポート、または招待</translation>
    </message>
    <message>
        <source>start a new thread, as the launcher&apos;s menu does</source>
        <translation>ランチャーのメニューと同じように新しいスレッドを始めます</translation>
    </message>
    <message>
        <source>open the search, as the launcher&apos;s menu does</source>
        <translation>ランチャーのメニューと同じように検索を開きます</translation>
    </message>
    <message>
        <source>open the field for a quick question (to bind to a key)</source>
        <translation>クイック質問の欄を開きます(キーに割り当てて使います)</translation>
    </message>
    <message>
        <source>key from {variable}</source>
        <translation>{variable}のキー</translation>
    </message>
    <message>
        <source>key in the keyring</source>
        <translation>キーリングのキー</translation>
    </message>
    <message>
        <source>key in the encrypted file</source>
        <translation>暗号化ファイルのキー</translation>
    </message>
    <message>
        <source>key for this run</source>
        <translation>この実行だけのキー</translation>
    </message>
    <message>
        <source>no key</source>
        <translation>キーなし</translation>
    </message>
    <message>
        <source>key withheld</source>
        <translation>キーは保留中</translation>
    </message>
    <message>
        <source>skipped</source>
        <translation>スキップ</translation>
    </message>
    <message>
        <source>list the providers that are set up</source>
        <translation>設定済みのプロバイダーを一覧表示します</translation>
    </message>
    <message>
        <source>test each of them, step by step</source>
        <translation>それぞれを順を追ってテストします</translation>
    </message>
    <message>
        <source>allow this provider&apos;s key to be sent to its current server</source>
        <translation>このプロバイダーのキーを現在のサーバーに送ることを認めます</translation>
    </message>
    <message>
        <source>No key of {provider} is waiting for your agreement.</source>
        <translation>{provider}のキーで同意を待っているものはありません。</translation>
    </message>
    <message>
        <source>with --agree: do not ask</source>
        <translation>--agreeと併用: 確認しません</translation>
    </message>
    <message>
        <source>a JSON array</source>
        <translation>JSON配列</translation>
    </message>
    <message>
        <source>Offline demo</source>
        <translation>オフラインデモ</translation>
    </message>
    <message>
        <source>Agreed: the key of {provider} goes to {server}.</source>
        <translation>同意しました。{provider}のキーを{server}に送ります。</translation>
    </message>
    <message>
        <source>Offline demo, without network</source>
        <translation>オフラインデモ、ネットワークなし</translation>
    </message>
    <message>
        <source>switched off</source>
        <translation>オフ</translation>
    </message>
    <message>
        <source>Messages</source>
        <translation>メッセージ</translation>
    </message>
    <message>
        <source>Threads</source>
        <translation>スレッド</translation>
    </message>
    <message>
        <source>Projects</source>
        <translation>プロジェクト</translation>
    </message>
    <message>
        <source>Tags</source>
        <translation>タグ</translation>
    </message>
    <message>
        <source>Files</source>
        <translation>ファイル</translation>
    </message>
    <message>
        <source>search messages, threads, projects, tags and files</source>
        <translation>メッセージ、スレッド、プロジェクト、タグ、ファイルを検索します</translation>
    </message>
    <message>
        <source>words, &quot;phrases&quot;, begin*, -not, tag:, before:, …</source>
        <translation>単語、&quot;語句&quot;、先頭*、-除外、tag:、before:、…</translation>
    </message>
    <message>
        <source>at most N hits of each kind (20)</source>
        <translation>種類ごとに最大N件(20)</translation>
    </message>
    <message>
        <source>a JSON array of groups</source>
        <translation>グループのJSON配列</translation>
    </message>
    <message>
        <source>{kind} (more than {count})</source>
        <translation>{kind}({count}件超)</translation>
    </message>
    <message>
        <source>{kind} ({count})</source>
        <translation>{kind}({count}件)</translation>
    </message>
    <message>
        <source>Nothing was found.</source>
        <translation>何も見つかりませんでした。</translation>
    </message>
    <message>
        <source>Indexing: {percent} %</source>
        <translation>索引を作成中: {percent} %</translation>
    </message>
    <message>
        <source>read, write, ask, admin or remote (read)</source>
        <translation>read、write、ask、admin、remote(read)</translation>
    </message>
    <message>
        <source>expire after N days</source>
        <translation>N日後に期限切れにします</translation>
    </message>
    <message>
        <source>at most N requests a minute</source>
        <translation>1分あたり最大N件のリクエスト</translation>
    </message>
    <message>
        <source>serve other programs on this computer until Ctrl+C</source>
        <translation>Ctrl+Cが押されるまで、このコンピューターのほかのプログラムに応答します</translation>
    </message>
    <message>
        <source>port to listen on; 0 means any free port</source>
        <translation>待ち受けるポート。0は空いている任意のポート</translation>
    </message>
    <message>
        <source>make, list and revoke tokens for other programs</source>
        <translation>ほかのプログラム用のトークンを作成、一覧表示、失効します</translation>
    </message>
    <message>
        <source>make a token and print it; it is not shown again</source>
        <translation>トークンを作成して表示します。再び表示されることはありません</translation>
    </message>
    <message>
        <source>name of the program that will use it</source>
        <translation>それを使うプログラムの名前</translation>
    </message>
    <message>
        <source>allow access to this project only</source>
        <translation>このプロジェクトへのアクセスだけを許可します</translation>
    </message>
    <message>
        <source>use at most N model tokens a minute</source>
        <translation>1分間に使うモデルのトークンを最大N個にします</translation>
    </message>
    <message>
        <source>spend at most USD dollars a day</source>
        <translation>1日の支出を最大USDドルにします</translation>
    </message>
    <message>
        <source>write the token to this file instead of printing it</source>
        <translation>トークンを表示せず、このファイルに書き込む</translation>
    </message>
    <message>
        <source>list the tokens, without their secret texts</source>
        <translation>トークンを一覧表示します(秘密の文字列は表示しません)</translation>
    </message>
    <message>
        <source>revoke a token and end what is being done with it</source>
        <translation>トークンを失効させ、それを使った実行中の処理を終了します</translation>
    </message>
    <message>
        <source>its name or id</source>
        <translation>名前またはid</translation>
    </message>
    <message>
        <source>Listening on {url}</source>
        <translation>{url}で待ち受けています</translation>
    </message>
    <message>
        <source>Listening on {socket}</source>
        <translation>{socket}で待ち受けています</translation>
    </message>
    <message>
        <source>The token “{name}”, which is shown only now:</source>
        <translation>トークン「{name}」(表示は今回限りです):</translation>
    </message>
    <message>
        <source>The token “{name}” is revoked.</source>
        <translation>トークン「{name}」を失効させました。</translation>
    </message>
    <message>
        <source>never used</source>
        <translation>未使用</translation>
    </message>
    <message>
        <source>used {time}</source>
        <translation>使用{time}</translation>
    </message>
    <message>
        <source>until {time}</source>
        <translation>{time}まで</translation>
    </message>
    <message>
        <source>There are no tokens.</source>
        <translation>トークンはありません。</translation>
    </message>
    <message>
        <source>it must be a number from 0 to 65535</source>
        <translation>0から65535までの数でなければなりません</translation>
    </message>
    <message>
        <source>it must be a number above 0 and below 1,000,000</source>
        <translation>0より大きく1,000,000未満の数でなければなりません</translation>
    </message>
    <message>
        <source>share projects through a team&apos;s database</source>
        <translation>チームのデータベースを通じてプロジェクトを共有します</translation>
    </message>
    <message>
        <source>Use Settings, Team sync in its window, or close it first.</source>
        <translation>そのウィンドウの「設定」の「チーム同期」を使うか、先に閉じてください。</translation>
    </message>
    <message>
        <source>this profile is in no workspace</source>
        <translation>このプロファイルはどのワークスペースにも入っていません</translation>
    </message>
    <message>
        <source>owner</source>
        <translation>所有者</translation>
    </message>
    <message>
        <source>show the state of this profile&apos;s workspaces, and what was refused</source>
        <translation>このプロファイルのワークスペースの状態と、拒否されたものを表示します</translation>
    </message>
    <message>
        <source>check a server before making a workspace, or what the server of one has lost</source>
        <translation>ワークスペースを作成する前にサーバーを確認するか、ワークスペースのサーバーが失ったものを確認します</translation>
    </message>
    <message>
        <source>show or set who may invite and share in a workspace, and its limits</source>
        <translation>ワークスペースで招待や共有ができる人とその上限を表示または設定します</translation>
    </message>
    <message>
        <source>what an owner of the workspace sets</source>
        <translation>ワークスペースの所有者が設定する項目</translation>
    </message>
    <message>
        <source>parked: this profile was restored, repaired or copied, and is not connected</source>
        <translation>休止中: このプロファイルは復元、修復、またはコピーされたもので、接続されていません</translation>
    </message>
    <message>
        <source>&apos;chatdesk team join&apos; connects again</source>
        <translation>&apos;chatdesk team join&apos; で再接続します</translation>
    </message>
    <message>
        <source>member</source>
        <translation>メンバー</translation>
    </message>
    <message numerus="yes">
        <source>{count} shared</source>
        <comment>{count} shared</comment>
        <translation>
            <numerusform>{count}件共有中</numerusform>
        </translation>
    </message>
    <message>
        <source>{waiting} waiting, {refused} refused</source>
        <translation>待機中{waiting}件、拒否{refused}件</translation>
    </message>
    <message>
        <source>The window lets it go on without them: Settings, Team sync, Details.</source>
        <translation>ウィンドウから、それらなしで続けられます：設定、チーム同期、詳細。</translation>
    </message>
    <message numerus="yes">
        <source>{number} projects</source>
        <comment>{number} project</comment>
        <translation>
            <numerusform>{number}件のプロジェクト</numerusform>
        </translation>
    </message>
    <message>
        <source>list the members, as the server has them now</source>
        <translation>サーバー上の現在のメンバーを一覧表示します</translation>
    </message>
    <message>
        <source>name or id of the workspace, if there are several</source>
        <translation>ワークスペースの名前またはid(複数ある場合)</translation>
    </message>
    <message>
        <source>wait for the server at most this long ({seconds})</source>
        <translation>サーバーを待つ最長時間({seconds})</translation>
    </message>
    <message>
        <source>Only owners erase a project.</source>
        <translation>プロジェクトを消去できるのは所有者だけです。</translation>
    </message>
    <message>
        <source>“{name}” is erased.</source>
        <translation>「{name}」を消去しました。</translation>
    </message>
    <message>
        <source>There is no such workspace in this profile.</source>
        <translation>このプロファイルにそのようなワークスペースはありません。</translation>
    </message>
    <message>
        <source>&apos;chatdesk team status&apos; lists them.</source>
        <translation>&apos;chatdesk team status&apos;で一覧を表示できます。</translation>
    </message>
    <message>
        <source>There are several workspaces.</source>
        <translation>ワークスペースが複数あります。</translation>
    </message>
    <message>
        <source>Name one by its id; &apos;chatdesk team status&apos; lists them.</source>
        <translation>idで1つを指定してください。&apos;chatdesk team status&apos;で一覧表示できます。</translation>
    </message>
    <message>
        <source>Passphrase of the file of keys: </source>
        <translation>キーファイルのパスフレーズ: </translation>
    </message>
    <message>
        <source>There is no keyring here. New passphrase for an encrypted file of keys: </source>
        <translation>ここにはキーリングがありません。暗号化キーファイルの新しいパスフレーズ: </translation>
    </message>
    <message numerus="yes">
        <source>{count} changes wait</source>
        <comment>{count} change waits</comment>
        <translation>
            <numerusform>{count}件の変更が待機中です</numerusform>
        </translation>
    </message>
    <message>
        <source>No passphrase was given.</source>
        <translation>パスフレーズが指定されていません。</translation>
    </message>
    <message>
        <source>Type it when you are asked, give it as the next line of stdin, or set {variable}.</source>
        <translation>たずねられたときに入力するか、標準入力の次の行で渡すか、{variable}を設定してください。</translation>
    </message>
    <message>
        <source>make a workspace in an empty database</source>
        <translation>空のデータベースにワークスペースを作成します</translation>
    </message>
    <message>
        <source>name of the workspace</source>
        <translation>ワークスペースの名前</translation>
    </message>
    <message>
        <source>your name, as the others see it</source>
        <translation>ほかの人に表示される名前</translation>
    </message>
    <message>
        <source>print an invitation</source>
        <translation>招待を表示します</translation>
    </message>
    <message>
        <source>name of the person</source>
        <translation>相手の名前</translation>
    </message>
    <message>
        <source>valid for N days (7)</source>
        <translation>N日間有効(7)</translation>
    </message>
    <message>
        <source>stop being a member, on all computers</source>
        <translation>すべてのコンピューターでメンバーをやめます</translation>
    </message>
    <message>
        <source>upgrade the database of a workspace</source>
        <translation>ワークスペースのデータベースをアップグレードします</translation>
    </message>
    <message>
        <source>the login that set the database up</source>
        <translation>データベースをセットアップしたログイン</translation>
    </message>
    <message>
        <source>read a password and print the form in which Postgres stores it</source>
        <translation>読み込んだパスワードについてPostgresが保存する値を表示します</translation>
    </message>
    <message>
        <source>The workspace {name} was made. You are its owner.</source>
        <translation>ワークスペース{name}を作成しました。あなたが所有者です。</translation>
    </message>
    <message>
        <source>The invitation is in {file}. Anyone who has it can join.</source>
        <translation>招待は{file}にあります。これを持つ人は誰でも参加できます。</translation>
    </message>
    <message>
        <source>Passphrase: </source>
        <translation>パスフレーズ: </translation>
    </message>
    <message>
        <source>You are in the workspace {name} now.</source>
        <translation>ワークスペース{name}に入りました。</translation>
    </message>
    <message>
        <source>Leave {name}? Its projects stay here as private copies.</source>
        <translation>{name}を離れますか？プロジェクトは個人用コピーとしてここに残ります。</translation>
    </message>
    <message>
        <source>You left {name}.</source>
        <translation>{name}を離れました。</translation>
    </message>
    <message>
        <source>Connect to {name}, the database {database} on {host}:{port}?</source>
        <translation>{host}:{port}のデータベース{database}、{name}に接続しますか？</translation>
    </message>
    <message>
        <source>You are in {name} again.</source>
        <translation>{name}に戻りました。</translation>
    </message>
    <message>
        <source>shared project, and the role in it: viewer, editor, admin or owner; may be repeated</source>
        <translation>共有プロジェクトと、その役割: viewer、editor、admin、owner。繰り返し指定できます</translation>
    </message>
    <message>
        <source>write the invitation to this file instead of printing it</source>
        <translation>招待を表示せず、このファイルに書き込みます</translation>
    </message>
    <message>
        <source>join with an invitation, or with a code from another computer of yours</source>
        <translation>招待、または自分の別のコンピューターのコードで参加します</translation>
    </message>
    <message>
        <source>accept a server without encryption</source>
        <translation>暗号化のないサーバーを受け入れます</translation>
    </message>
    <message>
        <source>stop syncing; everything stays on this computer</source>
        <translation>同期をやめます。すべてこのコンピューターに残ります</translation>
    </message>
    <message>
        <source>print a code for another computer of yours</source>
        <translation>自分の別のコンピューター用のコードを表示します</translation>
    </message>
    <message>
        <source>write the code to this file instead of printing it</source>
        <translation>コードを表示せず、このファイルに書き込む</translation>
    </message>
    <message>
        <source>login that owns the database and may create roles</source>
        <translation>データベースを所有し、ロールを作成できるログイン</translation>
    </message>
    <message>
        <source>address of the server, as postgresql://login@host:5432/database</source>
        <translation>サーバーのアドレス。postgresql://login@host:5432/databaseの形</translation>
    </message>
    <message>
        <source>file with the invitation or the code; - reads it from stdin. Without it, a parked team is joined again</source>
        <translation>招待またはコードのファイル。- は stdin から読み込みます。指定しない場合、休止中のチームに再び参加します</translation>
    </message>
    <message>
        <source>name or IP address of the server, instead of --url</source>
        <translation>サーバーの名前またはIPアドレス(--urlの代わり)</translation>
    </message>
    <message>
        <source>name of the database</source>
        <translation>データベースの名前</translation>
    </message>
    <message>
        <source>certificate of the server&apos;s authority, if it is a private one</source>
        <translation>サーバーの認証局の証明書(私設の認証局の場合)</translation>
    </message>
    <message>
        <source>connect without encryption; only for a network of your own</source>
        <translation>暗号化なしで接続します。自分のネットワーク専用です</translation>
    </message>
    <message>
        <source>for {name}; it works once, and anyone who has it can join</source>
        <translation>{name}さん用。一度だけ使え、持っている人は誰でも参加できます</translation>
    </message>
    <message>
        <source>its passphrase is {passphrase}; both are valid for a day</source>
        <translation>パスフレーズは{passphrase}です。どちらも1日有効です</translation>
    </message>
    <message>
        <source>The database of {name} is up to date.</source>
        <translation>{name}のデータベースは最新です。</translation>
    </message>
    <message>
        <source>Password of {user}: </source>
        <translation>{user}のパスワード: </translation>
    </message>
    <message>
        <source>Password: </source>
        <translation>パスワード: </translation>
    </message>
    <message>
        <source>The others see you as {name}.</source>
        <translation>ほかの人には{name}と表示されます。</translation>
    </message>
    <message numerus="yes">
        <source>{count} shared projects are called “{name}”.</source>
        <comment>{count} shared project is called “{name}”.</comment>
        <translation>
            <numerusform>「{name}」という名前の共有プロジェクトが{count}件あります。</numerusform>
        </translation>
    </message>
    <message>
        <source>No shared project is called “{name}”.</source>
        <translation>「{name}」という名前の共有プロジェクトはありません。</translation>
    </message>
    <message>
        <source>Nobody was invited.</source>
        <translation>誰も招待されませんでした。</translation>
    </message>
    <message>
        <source>Share it first (&apos;chatdesk team share&apos;), or give its id.</source>
        <translation>先に共有する(&apos;chatdesk team share&apos;)か、idを指定してください。</translation>
    </message>
    <message>
        <source>“{given}” is not a limit with its value.</source>
        <translation>「{given}」は上限とその値ではありません。</translation>
    </message>
    <message>
        <source>Use NAME=VALUE with one of these names: {names}.</source>
        <translation>次のいずれかの名前で NAME=VALUE を指定してください: {names}。</translation>
    </message>
    <message>
        <source>“{role}” is not a role.</source>
        <translation>「{role}」という役割はありません。</translation>
    </message>
    <message>
        <source>Use viewer, editor, admin or owner.</source>
        <translation>viewer、editor、admin、ownerのいずれかを使ってください。</translation>
    </message>
    <message>
        <source>Do not put a password into the arguments: everybody on this computer can see them.</source>
        <translation>引数にパスワードを入れないでください。このコンピューターの誰からも見えてしまいます。</translation>
    </message>
    <message>
        <source>Nothing was sent.</source>
        <translation>何も送られていません。</translation>
    </message>
    <message>
        <source>Change that password, since others may have seen it, and give the new one on stdin or in {variable}.</source>
        <translation>ほかの人に見られた可能性があるため、そのパスワードを変更し、新しいものを標準入力か{variable}で渡してください。</translation>
    </message>
    <message>
        <source>{name} is not a certificate in PEM form.</source>
        <translation>{name} は PEM 形式の証明書ではありません。</translation>
    </message>
    <message>
        <source>{path}: {reason}.</source>
        <translation>{path}: {reason}。</translation>
    </message>
    <message>
        <source>Check the name of the file.</source>
        <translation>ファイルの名前を確認してください。</translation>
    </message>
    <message>
        <source>share a project with a workspace</source>
        <translation>プロジェクトをワークスペースと共有します</translation>
    </message>
    <message>
        <source>send waiting changes and fetch those of others</source>
        <translation>待っている変更を送り、ほかの人の変更を取得します</translation>
    </message>
    <message>
        <source>Share “{project}” ({threads}, {messages}) with {workspace}? What is sent cannot be taken back from those who have read it.</source>
        <translation>「{project}」({threads}、{messages})を{workspace}と共有しますか？送ったものは、読んだ人から取り戻せません。</translation>
    </message>
    <message>
        <source>“{name}” is the project into which new threads go: what you ask from now on without naming another project is shared, too.</source>
        <translation>「{name}」は新しいスレッドが入るプロジェクトです。今後、別のプロジェクトを指定せずに質問したことも共有されます。</translation>
    </message>
    <message>
        <source>“{project}” is shared with {workspace}.</source>
        <translation>「{project}」を{workspace}と共有しました。</translation>
    </message>
    <message>
        <source>This is a private copy.</source>
        <translation>これは個人用コピーです。</translation>
    </message>
    <message>
        <source>is up to date</source>
        <translation>最新です</translation>
    </message>
    <message>
        <source>{state}, {count} refused (&apos;chatdesk team status&apos; lists them)</source>
        <translation>{state}、{count} 件が拒否されました（&apos;chatdesk team status&apos; で一覧できます）</translation>
    </message>
    <message>
        <source>{workspace}: {state}.</source>
        <translation>{workspace}: {state}。</translation>
    </message>
    <message>
        <source>The team has not got it yet: {problem} It waits here; &apos;chatdesk team sync&apos; sends it.</source>
        <translation>まだチームに届いていません: {problem} ここで待機しています。&apos;chatdesk team sync&apos;で送信します。</translation>
    </message>
    <message>
        <source>The team has not got it yet. It waits here; &apos;chatdesk team sync&apos; sends it.</source>
        <translation>まだチームに届いていません。ここで待機しています。&apos;chatdesk team sync&apos;で送信します。</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes wait here.</source>
        <comment>{count} change waits here.</comment>
        <translation>
            <numerusform>{count}件の変更がここで待機しています。</numerusform>
        </translation>
    </message>
    <message>
        <source>&apos;chatdesk team sync&apos; continues.</source>
        <translation>&apos;chatdesk team sync&apos;で続行します。</translation>
    </message>
    <message>
        <source>This project is not shared.</source>
        <translation>このプロジェクトは共有されていません。</translation>
    </message>
    <message>
        <source>list projects, or make one</source>
        <translation>プロジェクトを一覧表示するか、新しく作成します</translation>
    </message>
    <message>
        <source>make a project and print its id</source>
        <translation>プロジェクトを作成し、そのIDを表示します</translation>
    </message>
    <message>
        <source>name of the project</source>
        <translation>プロジェクトの名前</translation>
    </message>
    <message>
        <source>list threads, latest first</source>
        <translation>スレッドを新しい順に一覧表示します</translation>
    </message>
    <message>
        <source>list archived threads</source>
        <translation>アーカイブしたスレッドを一覧表示します</translation>
    </message>
    <message>
        <source>list threads in the trash</source>
        <translation>ゴミ箱のスレッドを一覧表示します</translation>
    </message>
    <message>
        <source>list threads of this project</source>
        <translation>このプロジェクトのスレッドを一覧表示します</translation>
    </message>
    <message>
        <source>list threads with this tag</source>
        <translation>このタグの付いたスレッドを一覧表示します</translation>
    </message>
    <message>
        <source>at most N threads (50)</source>
        <translation>最大N件のスレッド(50)</translation>
    </message>
    <message>
        <source>print a thread</source>
        <translation>スレッドを表示します</translation>
    </message>
    <message>
        <source>(archived)</source>
        <translation>(アーカイブ済み)</translation>
    </message>
    <message>
        <source>ChatDesk is open and keeps the projects.</source>
        <translation>ChatDeskが開いていて、プロジェクトを管理しています。</translation>
    </message>
    <message>
        <source>Make the project there, or close ChatDesk first.</source>
        <translation>そちらでプロジェクトを作成するか、先にChatDeskを閉じてください。</translation>
    </message>
    <message>
        <source>There is no tag “{tag}”.</source>
        <translation>タグ「{tag}」はありません。</translation>
    </message>
    <message>
        <source>Check its name in the window.</source>
        <translation>ウィンドウで名前を確認してください。</translation>
    </message>
    <message>
        <source>There are no threads here yet.</source>
        <translation>ここにはまだスレッドがありません。</translation>
    </message>
    <message>
        <source>“{wanted}” is not the beginning of a thread&apos;s id.</source>
        <translation>「{wanted}」はスレッドのidの先頭部分ではありません。</translation>
    </message>
    <message>
        <source>Give at least {count} of its characters; &apos;chatdesk threads&apos; lists them.</source>
        <translation>少なくとも{count}文字を指定してください。&apos;chatdesk threads&apos;で一覧を表示できます。</translation>
    </message>
    <message>
        <source>No thread&apos;s id begins with {prefix}.</source>
        <translation>{prefix}で始まるidのスレッドはありません。</translation>
    </message>
    <message>
        <source>&apos;chatdesk threads&apos; lists them.</source>
        <translation>&apos;chatdesk threads&apos;で一覧を表示できます。</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads have ids that begin with {prefix}.</source>
        <comment>{count} thread has an id that begins with {prefix}.</comment>
        <translation>
            <numerusform>{prefix}で始まるidのスレッドが{count}件あります。</numerusform>
        </translation>
    </message>
    <message>
        <source>Give more of the id.</source>
        <translation>idをもっと長く指定してください。</translation>
    </message>
    <message>
        <source>it must be a whole number, at least 1</source>
        <translation>1以上の整数でなければなりません</translation>
    </message>
    <message>
        <source>See &apos;chatdesk projects&apos;.</source>
        <translation>&apos;chatdesk projects&apos;を参照してください。</translation>
    </message>
    <message numerus="yes">
        <source>{count} projects are called “{name}”: {projects}.</source>
        <comment>{count} project is called “{name}”: {projects}.</comment>
        <translation>
            <numerusform>「{name}」という名前のプロジェクトが{count}件あります: {projects}。</numerusform>
        </translation>
    </message>
    <message>
        <source>Give the id of one.</source>
        <translation>いずれかのidを指定してください。</translation>
    </message>
    <message>
        <source>No project is called “{name}”.</source>
        <translation>「{name}」という名前のプロジェクトはありません。</translation>
    </message>
    <message>
        <source>No project that is shared is called “{name}”.</source>
        <translation>「{name}」という名前の共有中のプロジェクトはありません。</translation>
    </message>
    <message>
        <source>No project that is not shared yet is called “{name}”.</source>
        <translation>「{name}」という名前の未共有のプロジェクトはありません。</translation>
    </message>
    <message>
        <source>switch a server on</source>
        <translation>サーバーをオンにします</translation>
    </message>
    <message>
        <source>switch a server off</source>
        <translation>サーバーをオフにします</translation>
    </message>
    <message>
        <source>sign in to a server over HTTP, in your browser</source>
        <translation>HTTPのサーバーにブラウザーでサインインします</translation>
    </message>
    <message>
        <source>start servers and list their tools, step by step</source>
        <translation>サーバーを起動し、順を追ってツールを一覧表示します</translation>
    </message>
    <message>
        <source>environment variable whose value is kept in the keyring and given to the server; may be repeated</source>
        <translation>値をキーリングに保管し、サーバーに渡す環境変数。繰り返し指定できます</translation>
    </message>
    <message>
        <source>remove a server</source>
        <translation>サーバーを外します</translation>
    </message>
    <message>
        <source>sign out of a server</source>
        <translation>サーバーからサインアウトします</translation>
    </message>
    <message>
        <source>set up the servers whose tools models may use</source>
        <translation>モデルがツールを使えるサーバーを設定します</translation>
    </message>
    <message>
        <source>list the servers, and whether they are on</source>
        <translation>サーバーと、そのオン/オフを一覧表示します</translation>
    </message>
    <message>
        <source>add a server; put options before its name</source>
        <translation>サーバーを追加します。オプションは名前の前に置いてください</translation>
    </message>
    <message>
        <source>name of the server</source>
        <translation>サーバーの名前</translation>
    </message>
    <message>
        <source>program to run, with its arguments</source>
        <translation>実行するプログラムとその引数</translation>
    </message>
    <message>
        <source>address of the server, if it is reached over HTTP</source>
        <translation>サーバーのアドレス(HTTPで接続する場合)</translation>
    </message>
    <message>
        <source>id of the OAuth client that you registered for the address</source>
        <translation>このアドレス用に登録したOAuthクライアントのid</translation>
    </message>
    <message>
        <source>environment variable that holds the client&apos;s secret</source>
        <translation>クライアントシークレットを入れた環境変数</translation>
    </message>
    <message>
        <source>folder in which the program runs (by default an empty one)</source>
        <translation>プログラムを実行するフォルダー(既定では空のフォルダー)</translation>
    </message>
    <message>
        <source>add servers from the JSON settings of another program</source>
        <translation>ほかのプログラムのJSON設定からサーバーを追加します</translation>
    </message>
    <message>
        <source>file with the JSON; - reads it from stdin</source>
        <translation>JSONのファイル。-はstdinから読み込みます</translation>
    </message>
    <message>
        <source>id of the server (by default all that are on)</source>
        <translation>サーバーのid(既定ではオンのものすべて)</translation>
    </message>
    <message>
        <source>id of the server</source>
        <translation>サーバーのid</translation>
    </message>
    <message>
        <source>list what tools may do without asking again</source>
        <translation>ツールが再確認なしで行えることを一覧表示します</translation>
    </message>
    <message>
        <source>take back permissions of a server&apos;s tools</source>
        <translation>サーバーのツールに与えた許可を取り消します</translation>
    </message>
    <message>
        <source>name of the tool (by default all tools of the server)</source>
        <translation>ツールの名前(既定ではサーバーのすべてのツール)</translation>
    </message>
    <message>
        <source>show or set the folder in which tools work for a project</source>
        <translation>プロジェクトでツールが作業するフォルダーを表示または設定します</translation>
    </message>
    <message>
        <source>folder to set; without it, the current one is shown</source>
        <translation>設定するフォルダー。省略すると現在のものを表示します</translation>
    </message>
    <message>
        <source>remove the folder from the project</source>
        <translation>プロジェクトからフォルダーを外します</translation>
    </message>
    <message>
        <source>ChatDesk is open and keeps the tool servers.</source>
        <translation>ChatDeskが開いていて、ツールサーバーを管理しています。</translation>
    </message>
    <message>
        <source>Change them in Settings, Tools, or close ChatDesk first.</source>
        <translation>「設定」の「ツール」で変更するか、先にChatDeskを閉じてください。</translation>
    </message>
    <message>
        <source>on</source>
        <translation>オン</translation>
    </message>
    <message>
        <source>off</source>
        <translation>オフ</translation>
    </message>
    <message>
        <source>A server has either an address or a command.</source>
        <translation>サーバーにはアドレスかコマンドのどちらか一方を指定します。</translation>
    </message>
    <message>
        <source>Write: add --address URL NAME, or: add NAME COMMAND ARGUMENTS.</source>
        <translation>書き方: add --address URL NAME、またはadd NAME COMMAND ARGUMENTS。</translation>
    </message>
    <message>
        <source>The variable {first} is not set here.</source>
        <translation>変数{first}がここで設定されていません。</translation>
    </message>
    <message>
        <source>{name}: {field} is still to be filled in.</source>
        <translation>{name}: {field}がまだ入力されていません。</translation>
    </message>
    <message>
        <source>They are off until you switch them on: chatdesk tools on SERVER.</source>
        <translation>オンにするまではオフです: chatdesk tools on SERVER。</translation>
    </message>
    <message>
        <source>There was no such permission.</source>
        <translation>そのような許可はありませんでした。</translation>
    </message>
    <message>
        <source>ok</source>
        <translation>OK</translation>
    </message>
    <message>
        <source>failed</source>
        <translation>失敗</translation>
    </message>
    <message>
        <source>Sign in to {name} in your browser. If no page opens, open this one:</source>
        <translation>ブラウザーで{name}にサインインしてください。ページが開かない場合は、これを開いてください:</translation>
    </message>
    <message>
        <source>Signed in.</source>
        <translation>サインインしました。</translation>
    </message>
    <message>
        <source>{name} did not ask you to sign in.</source>
        <translation>{name}はサインインを求めませんでした。</translation>
    </message>
    <message>
        <source>Signed out, here and at the server.</source>
        <translation>こことサーバーの両方でサインアウトしました。</translation>
    </message>
    <message>
        <source>Signed out on this computer. The server was not told, or cannot withdraw the sign-in.</source>
        <translation>このコンピューターではサインアウトしました。サーバーには伝わっていないか、サーバーが取り消しに対応していません。</translation>
    </message>
    <message>
        <source>There is no tool server “{name}”.</source>
        <translation>ツールサーバー「{name}」はありません。</translation>
    </message>
    <message>
        <source>See chatdesk tools list.</source>
        <translation>chatdesk tools listを参照してください。</translation>
    </message>
    <message>
        <source>comes with ChatDesk</source>
        <translation>ChatDeskに付属</translation>
    </message>
    <message>
        <source>{place} could not be read.</source>
        <translation>{place}を読み込めませんでした。</translation>
    </message>
    <message>
        <source>address of SearXNG</source>
        <translation>SearXNGのアドレス</translation>
    </message>
    <message>
        <source>The variable {key} is not set here.</source>
        <translation>変数{key}がここで設定されていません。</translation>
    </message>
    <message>
        <source>show or set the search engine that models use for the web</source>
        <translation>モデルがウェブ検索に使う検索エンジンを表示または設定します</translation>
    </message>
    <message>
        <source>environment variable that holds the key</source>
        <translation>キーを入れた環境変数</translation>
    </message>
    <message>
        <source>test the engine step by step; an ENGINE that is given is tested without being set</source>
        <translation>エンジンを段階ごとにテストします。ENGINEを指定すると、設定せずにテストします</translation>
    </message>
    <message>
        <source>remove the stored key of the engine</source>
        <translation>保管されているエンジンのキーを削除します</translation>
    </message>
    <message>
        <source>print a JSON object, or with --test an array of its steps</source>
        <translation>JSONオブジェクトを出力します。--testでは段階の配列</translation>
    </message>
    <message>
        <source>Name the engine whose key should be removed.</source>
        <translation>キーを削除するエンジンを指定してください。</translation>
    </message>
    <message>
        <source>with a key</source>
        <translation>キーあり</translation>
    </message>
    <message>
        <source>without a key</source>
        <translation>キーなし</translation>
    </message>
    <message>
        <source>No search engine is chosen.</source>
        <translation>検索エンジンが選ばれていません。</translation>
    </message>
    <message>
        <source>Name one to test it.</source>
        <translation>テストするエンジンを指定してください。</translation>
    </message>
    <message>
        <source>Left out: an answer has at most {most_in_message} pictures.</source>
        <translation>省略されました: 1つの回答の画像は最大{most_in_message}枚です。</translation>
    </message>
    <message>
        <source>Not kept: {reason}</source>
        <translation>保存されませんでした: {reason}</translation>
    </message>
    <message>
        <source>The pictures of this answer are larger than {most_bytes} MB together.</source>
        <translation>この回答の画像は合計で{most_bytes} MBを超えています。</translation>
    </message>
    <message>
        <source>It is not a picture that can be shown.</source>
        <translation>表示できる画像ではありません。</translation>
    </message>
    <message>
        <source>The picture is damaged.</source>
        <translation>画像が破損しています。</translation>
    </message>
    <message>
        <source>The picture is empty.</source>
        <translation>画像が空です。</translation>
    </message>
    <message>
        <source>Remove some and send them with the next message, or raise the limit in Settings, Usage and limits.</source>
        <translation>いくつか外して次のメッセージで送るか、「設定」の「使用量と上限」で上限を上げてください。</translation>
    </message>
    <message>
        <source>Choose another file, or change the kinds in Settings, Usage and limits.</source>
        <translation>別のファイルを選ぶか、「設定」の「使用量と上限」で種類を変更してください。</translation>
    </message>
    <message>
        <source>Your text and the attachments are kept.</source>
        <translation>入力した文章と添付ファイルは残っています。</translation>
    </message>
    <message>
        <source>“{name}” is of a kind that may not be attached: {mime}.</source>
        <translation>「{name}」は添付できない種類です: {mime}。</translation>
    </message>
    <message>
        <source>A message can have at most {number} files; there are {attachments}.</source>
        <translation>1つのメッセージに付けられるファイルは最大{number}個ですが、{attachments}個あります。</translation>
    </message>
    <message>
        <source>The files of one message can have at most {limit} together; these have {total}.</source>
        <translation>1つのメッセージのファイルは合計{limit}までですが、これらは{total}あります。</translation>
    </message>
    <message>
        <source>With “{name}”, the files attached today would have {total}; the limit for a day is {limit}.</source>
        <translation>「{name}」を加えると、今日添付したファイルは{total}になります。1日の上限は{limit}です。</translation>
    </message>
    <message>
        <source>Your text and the other attachments are kept.</source>
        <translation>入力した文章とほかの添付ファイルは残っています。</translation>
    </message>
    <message>
        <source>Attach it tomorrow, or raise the limit in Settings, Usage and limits.</source>
        <translation>明日添付するか、「設定」の「使用量と上限」で上限を上げてください。</translation>
    </message>
    <message>
        <source>A message can have {number} files; {number_2} were left out.</source>
        <translation>1つのメッセージに付けられるファイルは{number}個です。{number_2}個を除きました。</translation>
    </message>
    <message>
        <source>The attached file is no longer there.</source>
        <translation>添付したファイルはもうありません。</translation>
    </message>
    <message>
        <source>The attached file is larger than it was.</source>
        <translation>添付したファイルが以前より大きくなっています。</translation>
    </message>
    <message>
        <source>That is not the checksum of a file.</source>
        <translation>それはファイルのチェックサムではありません。</translation>
    </message>
    <message>
        <source>The file could not be stored with your messages: {reason}.</source>
        <translation>ファイルをメッセージと一緒に保存できませんでした: {reason}。</translation>
    </message>
    <message>
        <source>Make room on the disk or choose another data directory, then attach it again.</source>
        <translation>ディスクの空きを増やすか別のデータディレクトリを選んで、もう一度添付してください。</translation>
    </message>
    <message>
        <source>It needs too much time or memory to be read.</source>
        <translation>読み込みに時間またはメモリがかかりすぎます。</translation>
    </message>
    <message>
        <source>It is damaged.</source>
        <translation>破損しています。</translation>
    </message>
    <message>
        <source>It has more than {most_pixels} million pixels.</source>
        <translation>{most_pixels}百万ピクセルを超えています。</translation>
    </message>
    <message>
        <source>It is damaged, or not an image that can be shown.</source>
        <translation>壊れているか、表示できる画像ではありません。</translation>
    </message>
    <message>
        <source>“{name}” is empty.</source>
        <translation>「{name}」は空です。</translation>
    </message>
    <message>
        <source>Attach a file that is not empty.</source>
        <translation>空でないファイルを添付してください。</translation>
    </message>
    <message>
        <source>The image “{name}” cannot be attached. {reason}</source>
        <translation>画像「{name}」を添付できません。{reason}</translation>
    </message>
    <message>
        <source>Save it again with a drawing program, smaller if need be, and attach that.</source>
        <translation>描画プログラムで保存し直して(必要なら小さくして)、それを添付してください。</translation>
    </message>
    <message>
        <source>“{name}” is not there.</source>
        <translation>「{name}」が見つかりません。</translation>
    </message>
    <message>
        <source>“{name}” is not a file that can be read.</source>
        <translation>「{name}」は読み込めるファイルではありません。</translation>
    </message>
    <message>
        <source>“{name}” is a folder.</source>
        <translation>「{name}」はフォルダーです。</translation>
    </message>
    <message>
        <source>Attach the files in it.</source>
        <translation>中のファイルを添付してください。</translation>
    </message>
    <message>
        <source>its name or place is not valid</source>
        <translation>名前または場所が正しくありません</translation>
    </message>
    <message>
        <source>“{name}” cannot be read: {reason}.</source>
        <translation>「{name}」を読み込めません: {reason}。</translation>
    </message>
    <message>
        <source>Check the file, then attach it again.</source>
        <translation>ファイルを確認して、もう一度添付してください。</translation>
    </message>
    <message>
        <source>It needs too much memory.</source>
        <translation>必要なメモリが多すぎます。</translation>
    </message>
    <message>
        <source>It is damaged and cannot be read.</source>
        <translation>破損していて読み込めません。</translation>
    </message>
    <message>
        <source>What {who} has there is not an image that can be shown.</source>
        <translation>{who}にあるものは表示できる画像ではありません。</translation>
    </message>
    <message>
        <source>The image could not be loaded.</source>
        <translation>画像を読み込めませんでした。</translation>
    </message>
    <message>
        <source>The image is on another server: {host}.</source>
        <translation>画像は別のサーバーにあります: {host}。</translation>
    </message>
    <message>
        <source>{host} is in your own network.</source>
        <translation>{host}は自分のネットワーク内にあります。</translation>
    </message>
    <message>
        <source>Shown by ChatDesk, once. Scripts and links are off; nothing is loaded or sent.</source>
        <translation>ChatDeskが一度だけ表示します。スクリプトとリンクはオフで、何も読み込まず、何も送りません。</translation>
    </message>
    <message>
        <source>This page is empty.</source>
        <translation>このページは空です。</translation>
    </message>
    <message>
        <source>Nothing was opened.</source>
        <translation>何も開かれませんでした。</translation>
    </message>
    <message>
        <source>This page is larger than {most_bytes} MB.</source>
        <translation>このページは{most_bytes} MBを超えています。</translation>
    </message>
    <message>
        <source>Save it as a file instead.</source>
        <translation>代わりにファイルとして保存してください。</translation>
    </message>
    <message>
        <source>Files of this kind have no text that can be read.</source>
        <translation>この種類のファイルには読み取れるテキストがありません。</translation>
    </message>
    <message>
        <source>There is no text in it.</source>
        <translation>テキストが含まれていません。</translation>
    </message>
    <message>
        <source>A program for text recognition, such as OCRmyPDF, makes a copy of it that can be read.</source>
        <translation>OCRmyPDFなどの文字認識プログラムを使うと、読み取れるコピーを作れます。</translation>
    </message>
    <message>
        <source>It is long; its first {cut} characters are read.</source>
        <translation>長いため、先頭の{cut}文字だけが読み込まれます。</translation>
    </message>
    <message>
        <source>It does not say how its characters are encoded. Read as {encoding}: “{sample}”.</source>
        <translation>ファイルに文字コードの指定がありません。{encoding} として読みました: 「{sample}」</translation>
    </message>
    <message>
        <source>It is protected by a password.</source>
        <translation>パスワードで保護されています。</translation>
    </message>
    <message>
        <source>No text can be read from it; it may hold scanned pages.</source>
        <translation>テキストを読み取れません。スキャンしたページかもしれません。</translation>
    </message>
    <message>
        <source>It is long; {read} of its {total} pages are read.</source>
        <translation>長いため、全{total}ページ中{read}ページが読み込まれます。</translation>
    </message>
    <message>
        <source>{damaged} of its {total} pages cannot be read.</source>
        <translation>全{total}ページ中{damaged}ページを読み取れません。</translation>
    </message>
    <message>
        <source>{scanned} of its {total} pages are pictures.</source>
        <translation>全{total}ページ中{scanned}ページが画像です。</translation>
    </message>
    <message>
        <source>The virus scanner found something in the file.</source>
        <translation>ウイルススキャナーがファイルから何かを検出しました。</translation>
    </message>
    <message>
        <source>The file was kept out; your text and the other attachments are kept.</source>
        <translation>ファイルは受け付けませんでした。入力した文章とほかの添付ファイルは残っています。</translation>
    </message>
    <message>
        <source>Do not open the file. If you trust it, ask whoever looks after the scanner.</source>
        <translation>ファイルを開かないでください。信頼できるものなら、スキャナーの管理者に相談してください。</translation>
    </message>
    <message>
        <source>The virus scanner does not answer, so the file was kept out.</source>
        <translation>ウイルススキャナーが応答しないため、ファイルは受け付けませんでした。</translation>
    </message>
    <message>
        <source>Start the scanner, or change the scanner or what happens without it in Settings, Data and backup.</source>
        <translation>スキャナーを起動するか、「設定」の「データとバックアップ」でスキャナーまたはスキャナーがない場合の動作を変更してください。</translation>
    </message>
    <message>
        <source>Nothing was sent there. The file was kept out; your text and the other attachments are kept.</source>
        <translation>そこへは何も送信されていません。ファイルは追加されませんでした。テキストと他の添付ファイルは保持されています。</translation>
    </message>
    <message>
        <source>Enter the scanner anew in Settings, Data and backup, or set {variable} to its address.</source>
        <translation>設定の「データとバックアップ」でスキャナーを入力し直すか、{variable} にそのアドレスを設定してください。</translation>
    </message>
    <message>
        <source>The settings in this data directory, which may be somebody else&apos;s, name a virus scanner on another computer: {address}.</source>
        <translation>このデータディレクトリ（他の人のものかもしれません）の設定は、別のコンピューター上のウイルススキャナーを指定しています：{address}。</translation>
    </message>
    <message>
        <source>The virus scanner found “{found}” in the file.</source>
        <translation>ウイルススキャナーがファイルから「{found}」を検出しました。</translation>
    </message>
    <message>
        <source>This is not the address of a web page.</source>
        <translation>これはWebページのアドレスではありません。</translation>
    </message>
    <message>
        <source>Nothing was fetched.</source>
        <translation>何も取得されませんでした。</translation>
    </message>
    <message>
        <source>There is a file of the type {mime} there.</source>
        <translation>そこには{mime}形式のファイルがあります。</translation>
    </message>
    <message>
        <source>ChatDesk is closing.</source>
        <translation>ChatDeskを終了しています。</translation>
    </message>
    <message>
        <source>This message has no text that could be opened as an artifact.</source>
        <translation>このメッセージにはアーティファクトとして開けるテキストがありません。</translation>
    </message>
    <message>
        <source>The version is unchanged.</source>
        <translation>バージョンは元のままです。</translation>
    </message>
    <message>
        <source>This kind of file is not shown here. Save it, or open it with another program.</source>
        <translation>この種類のファイルはここでは表示されません。保存するか、別のプログラムで開いてください。</translation>
    </message>
    <message>
        <source>The file is too large to be shown here. Save it, or open it with another program.</source>
        <translation>ファイルが大きすぎてここでは表示できません。保存するか、別のプログラムで開いてください。</translation>
    </message>
    <message>
        <source>These versions are too large to be compared here.</source>
        <translation>これらのバージョンは大きすぎてここでは比較できません。</translation>
    </message>
    <message>
        <source>Save both to compare.</source>
        <translation>両方を保存して比較してください。</translation>
    </message>
    <message>
        <source>Nothing can be opened or edited here, because nothing can be written.</source>
        <translation>書き込みができないため、ここでは何も開いたり編集したりできません。</translation>
    </message>
    <message>
        <source>The message has {size_bytes} bytes; the limit is {most_bytes} bytes.</source>
        <translation>メッセージは{size_bytes}バイトあります。上限は{most_bytes}バイトです。</translation>
    </message>
    <message>
        <source>The copying was stopped.</source>
        <translation>コピーを中止しました。</translation>
    </message>
    <message>
        <source>Nothing can be attached here, because nothing can be written.</source>
        <translation>書き込みができないため、ここでは何も添付できません。</translation>
    </message>
    <message>
        <source>ChatDesk was closing.</source>
        <translation>ChatDeskを終了中でした。</translation>
    </message>
    <message>
        <source>The file is no longer there.</source>
        <translation>ファイルはもうありません。</translation>
    </message>
    <message>
        <source>The page cannot be handed to your browser: {strerror}.</source>
        <translation>ページをブラウザーに渡せません: {strerror}。</translation>
    </message>
    <message>
        <source>The attached file or the folder is no longer there.</source>
        <translation>添付したファイルまたはフォルダーがもうありません。</translation>
    </message>
    <message>
        <source>Choose another place.</source>
        <translation>別の場所を選んでください。</translation>
    </message>
    <message>
        <source>The file could not be written: {strerror}.</source>
        <translation>ファイルを書き込めませんでした: {strerror}。</translation>
    </message>
    <message>
        <source>The attached file is unchanged.</source>
        <translation>添付ファイルは変わっていません。</translation>
    </message>
    <message>
        <source>A page holds 1 to {largest_page} rows.</source>
        <translation>1ページは1行から{largest_page}行までです。</translation>
    </message>
    <message>
        <source>Summaries cannot be made here.</source>
        <translation>ここでは要約を作成できません。</translation>
    </message>
    <message>
        <source>A summary needs some text.</source>
        <translation>要約にはテキストが必要です。</translation>
    </message>
    <message>
        <source>The old one is kept.</source>
        <translation>以前のものは残っています。</translation>
    </message>
    <message>
        <source>Or switch it off.</source>
        <translation>またはオフにしてください。</translation>
    </message>
    <message>
        <source>There may be {most_facts} facts of at most {longest_fact} characters.</source>
        <translation>事実は最大{most_facts}件、それぞれ最大{longest_fact}文字です。</translation>
    </message>
    <message>
        <source>The old ones are kept.</source>
        <translation>以前のものは残っています。</translation>
    </message>
    <message>
        <source>{label} takes no {lacking} from other programs.</source>
        <translation>{label}はほかのプログラムからの{lacking}を受け付けません。</translation>
    </message>
    <message>
        <source>Choose a provider that speaks chat completions.</source>
        <translation>Chat Completionsに対応したプロバイダーを選んでください。</translation>
    </message>
    <message>
        <source>A draft cannot be empty.</source>
        <translation>下書きを空にすることはできません。</translation>
    </message>
    <message>
        <source>The thread has another draft, which a person may be writing.</source>
        <translation>スレッドには別の下書きがあり、誰かが書いている途中かもしれません。</translation>
    </message>
    <message>
        <source>It was not changed.</source>
        <translation>変更されませんでした。</translation>
    </message>
    <message>
        <source>Write the draft into a new thread.</source>
        <translation>下書きを新しいスレッドに書いてください。</translation>
    </message>
    <message>
        <source>A page holds 1 to {largest_page} rows, not {limit}.</source>
        <translation>1ページは1行から{largest_page}行までです。{limit}行にはできません。</translation>
    </message>
    <message numerus="yes">
        <source>pin {count} threads</source>
        <comment>pin thread</comment>
        <translation>
            <numerusform>{count}件のスレッドをピン留め</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>unpin {count} threads</source>
        <comment>unpin thread</comment>
        <translation>
            <numerusform>{count}件のスレッドのピン留めを外す</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>archive {count} threads</source>
        <comment>archive thread</comment>
        <translation>
            <numerusform>{count}件のスレッドをアーカイブ</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>unarchive {count} threads</source>
        <comment>unarchive thread</comment>
        <translation>
            <numerusform>{count}件のスレッドのアーカイブを解除</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>move {count} threads</source>
        <comment>move thread</comment>
        <translation>
            <numerusform>{count}件のスレッドを移動</numerusform>
        </translation>
    </message>
    <message>
        <source>That is no note.</source>
        <translation>これはメモではありません。</translation>
    </message>
    <message>
        <source>The files of the assistants are larger than {most_file_bytes} MB together.</source>
        <translation>アシスタントのファイルは合計で{most_file_bytes} MBを超えています。</translation>
    </message>
    <message>
        <source>The prompts are unchanged.</source>
        <translation>プロンプトは変わっていません。</translation>
    </message>
    <message>
        <source>Take large files out of the assistants, and attach them to a message instead.</source>
        <translation>大きなファイルをアシスタントから外し、代わりにメッセージに添付してください。</translation>
    </message>
    <message>
        <source>The file could not be read: {strerror}.</source>
        <translation>ファイルを読み込めませんでした: {strerror}。</translation>
    </message>
    <message>
        <source>The file is larger than {largest_file_bytes} MB.</source>
        <translation>ファイルが{largest_file_bytes} MBを超えています。</translation>
    </message>
    <message>
        <source>The file is no JSON.</source>
        <translation>ファイルがJSONではありません。</translation>
    </message>
    <message>
        <source>The file contains no prompts of ChatDesk.</source>
        <translation>ファイルにChatDeskのプロンプトがありません。</translation>
    </message>
    <message>
        <source>The file contains no list of prompts, or more than {most_prompts}.</source>
        <translation>ファイルにプロンプトの一覧がないか、{most_prompts}件を超えています。</translation>
    </message>
    <message>
        <source>The file was written by a newer ChatDesk.</source>
        <translation>このファイルは新しいバージョンのChatDeskで書き出されたものです。</translation>
    </message>
    <message>
        <source>Prompt {number} in the file is not one: it needs a kind, a name and a text that is not too long.</source>
        <translation>ファイル内のプロンプト{number}はプロンプトではありません。種類、名前、長すぎない本文が必要です。</translation>
    </message>
    <message>
        <source>Prompt {number} in the file has no list of files, or too many.</source>
        <translation>ファイル内のプロンプト{number}にファイルの一覧がないか、多すぎます。</translation>
    </message>
    <message>
        <source>A file of prompt {number} in the file cannot be read.</source>
        <translation>ファイル内のプロンプト{number}のファイルを読み込めません。</translation>
    </message>
    <message>
        <source>Nothing was added.</source>
        <translation>何も追加されませんでした。</translation>
    </message>
    <message>
        <source>Choose a file that was exported from Prompts.</source>
        <translation>「プロンプト」からエクスポートしたファイルを選んでください。</translation>
    </message>
    <message>
        <source>A prompt needs a text.</source>
        <translation>プロンプトには本文が必要です。</translation>
    </message>
    <message>
        <source>Type what it is to say, or delete it.</source>
        <translation>内容を入力するか、削除してください。</translation>
    </message>
    <message>
        <source>The prompt has {text} characters; the most is {longest_text}.</source>
        <translation>プロンプトは{text}文字あります。上限は{longest_text}文字です。</translation>
    </message>
    <message>
        <source>Shorten it, or keep the text in a file and attach that.</source>
        <translation>短くするか、本文をファイルにして添付してください。</translation>
    </message>
    <message>
        <source>Your limit of messages is reached.</source>
        <translation>メッセージの上限に達しました。</translation>
    </message>
    <message>
        <source>Your limit of messages to this provider is reached.</source>
        <translation>このプロバイダーへのメッセージの上限に達しました。</translation>
    </message>
    <message>
        <source>Your limit of messages in this project is reached.</source>
        <translation>このプロジェクトのメッセージの上限に達しました。</translation>
    </message>
    <message>
        <source>The provider takes no more requests for now.</source>
        <translation>プロバイダーは今のところこれ以上リクエストを受け付けません。</translation>
    </message>
    <message>
        <source>Ask again later.</source>
        <translation>後でもう一度質問してください。</translation>
    </message>
    <message>
        <source>This message is no longer waiting.</source>
        <translation>このメッセージはもう待機していません。</translation>
    </message>
    <message>
        <source>Between 2 and {most_in_thread} models can be compared.</source>
        <translation>比較できるモデルは2から{most_in_thread}個です。</translation>
    </message>
    <message>
        <source>Only questions can be edited here.</source>
        <translation>ここで編集できるのは質問だけです。</translation>
    </message>
    <message>
        <source>Regenerate the answer instead.</source>
        <translation>代わりに回答を再生成してください。</translation>
    </message>
    <message>
        <source>There is no question to answer here.</source>
        <translation>ここには回答する質問がありません。</translation>
    </message>
    <message>
        <source>This answer is already complete.</source>
        <translation>この回答はすでに完了しています。</translation>
    </message>
    <message>
        <source>Regenerate it for another version.</source>
        <translation>別のバージョンが必要なら再生成してください。</translation>
    </message>
    <message>
        <source>The system prompt has {text} characters; the most is {longest_text}.</source>
        <translation>システムプロンプトは{text}文字あります。上限は{longest_text}文字です。</translation>
    </message>
    <message>
        <source>Shorten it.</source>
        <translation>短くしてください。</translation>
    </message>
    <message>
        <source>There is a temporary chat already.</source>
        <translation>すでに一時チャットがあります。</translation>
    </message>
    <message>
        <source>Keep it or close it first.</source>
        <translation>先に保存するか閉じてください。</translation>
    </message>
    <message>
        <source>There is no temporary chat.</source>
        <translation>一時チャットはありません。</translation>
    </message>
    <message>
        <source>This chat was just kept.</source>
        <translation>このチャットは保存されたところです。</translation>
    </message>
    <message>
        <source>What you wrote is still there.</source>
        <translation>書いた内容は残っています。</translation>
    </message>
    <message>
        <source>An answer is still being written, so this chat was not kept yet.</source>
        <translation>まだ回答が書かれている途中のため、このチャットは保存されませんでした。</translation>
    </message>
    <message>
        <source>Wait for its end, or stop it, and keep the chat then.</source>
        <translation>終わるのを待つか停止してから、チャットを保存してください。</translation>
    </message>
    <message>
        <source>The tool does not take these arguments.</source>
        <translation>ツールはこの引数を受け付けません。</translation>
    </message>
    <message>
        <source>Nothing was run.</source>
        <translation>何も実行されませんでした。</translation>
    </message>
    <message>
        <source>Change them, or deny the call.</source>
        <translation>変更するか、呼び出しを拒否してください。</translation>
    </message>
    <message>
        <source>This call is no longer waiting for an answer.</source>
        <translation>この呼び出しはもう返答を待っていません。</translation>
    </message>
    <message>
        <source>The server is no longer waiting for this.</source>
        <translation>サーバーはもうこれを待っていません。</translation>
    </message>
    <message>
        <source>This answer is not offered for this call.</source>
        <translation>この返答はこの呼び出しでは選べません。</translation>
    </message>
    <message>
        <source>“{name}” is missing.</source>
        <translation>「{name}」がありません。</translation>
    </message>
    <message>
        <source>There is no “{name}”.</source>
        <translation>「{name}」は存在しません。</translation>
    </message>
    <message>
        <source>“{name}” is not of the type {map}.</source>
        <translation>「{name}」の型が{map}ではありません。</translation>
    </message>
    <message>
        <source>The person did not allow this call. Do not try it again in another way; go on without it, or ask them.</source>
        <translation>ユーザーはこの呼び出しを許可しませんでした。別の方法で再試行せず、これなしで続けるか、ユーザーに尋ねてください。</translation>
    </message>
    <message>
        <source>There is no tool with this name.</source>
        <translation>この名前のツールはありません。</translation>
    </message>
    <message>
        <source>The arguments are not valid JSON, so the tool was not run. Write them again.</source>
        <translation>引数が有効なJSONではないため、ツールは実行されませんでした。書き直してください。</translation>
    </message>
    <message>
        <source>No arguments came with this call, so the tool was not run. Write them again.</source>
        <translation>この呼び出しには引数がなかったため、ツールは実行されませんでした。もう一度書いてください。</translation>
    </message>
    <message>
        <source>The answer was cut off while this call was written, so the tool was not run.</source>
        <translation>この呼び出しを書いている途中で回答が途切れたため、ツールは実行されませんでした。</translation>
    </message>
    <message>
        <source>The limit of this answer was reached, so the tool was not run.</source>
        <translation>この回答の上限に達したため、ツールは実行されませんでした。</translation>
    </message>
    <message>
        <source>Too many tools were called at once, so this one was not run. Call fewer.</source>
        <translation>一度に呼び出されたツールが多すぎるため、これは実行されませんでした。数を減らしてください。</translation>
    </message>
    <message>
        <source>“{tool}” is left out of this answer: {provider} refuses its description.</source>
        <translation>「{tool}」はこの回答から除かれています。{provider}がその説明を拒否したためです。</translation>
    </message>
    <message>
        <source>No further tools can be called for this answer. Answer with what you have.</source>
        <translation>この回答ではこれ以上ツールを呼び出せません。今ある情報で回答してください。</translation>
    </message>
    <message>
        <source>“{tool}” is left out: its arguments are described in a form that no request can have.</source>
        <translation>「{tool}」は除かれています。引数の説明が、どのリクエストでも使えない形式です。</translation>
    </message>
    <message>
        <source>Something unexpected happened in ChatDesk while this tool ran. Nobody knows what it did.</source>
        <translation>このツールの実行中にChatDeskで予期しないことが起きました。何が行われたかは不明です。</translation>
    </message>
    <message>
        <source>ChatDesk ended while this ran, so nobody knows what it did. The person does not want it to be run again.</source>
        <translation>実行中にChatDeskが終了したため、何が行われたかは不明です。ユーザーは再実行を望んでいません。</translation>
    </message>
    <message>
        <source>ChatDesk ended while this ran. It may have done its work already.</source>
        <translation>実行中にChatDeskが終了しました。すでに処理が済んでいるかもしれません。</translation>
    </message>
    <message>
        <source>This thread has text from outside, such as a tool&apos;s result, a file, an import or a teammate&apos;s words, which may have asked for this.</source>
        <translation>このスレッドには、ツールの結果、ファイル、インポート、チームメンバーの文章など外部のテキストがあり、それがこれを求めた可能性があります。</translation>
    </message>
    <message numerus="yes">
        <source>{count} tools can be called: about {tokens} tokens with each request.</source>
        <comment>{count} tool can be called: about {tokens} tokens with each request.</comment>
        <translation>
            <numerusform>{count}個のツールを呼び出せます: リクエストごとに約{tokens}トークン。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{words} {count} tool servers not started yet.</source>
        <comment>{words} {count} tool server not started yet.</comment>
        <translation>
            <numerusform>{words} 未起動のツールサーバーが{count}個あります。</numerusform>
        </translation>
    </message>
    <message>
        <source>pin into the context</source>
        <translation>コンテキストに固定</translation>
    </message>
    <message>
        <source>exclude from the context</source>
        <translation>コンテキストから除外</translation>
    </message>
    <message>
        <source>unpin from the context</source>
        <translation>コンテキストへの固定を解除</translation>
    </message>
    <message>
        <source>include in the context</source>
        <translation>コンテキストに含める</translation>
    </message>
    <message>
        <source>pin the passage</source>
        <translation>箇所を固定</translation>
    </message>
    <message>
        <source>leave out the passage</source>
        <translation>箇所を除外</translation>
    </message>
    <message>
        <source>unpin the passage</source>
        <translation>箇所の固定を解除</translation>
    </message>
    <message>
        <source>no longer leave out the passage</source>
        <translation>箇所の除外を解除</translation>
    </message>
    <message>
        <source>rename thread</source>
        <translation>スレッド名を変更</translation>
    </message>
    <message numerus="yes">
        <source>delete messages</source>
        <comment>delete message</comment>
        <translation>
            <numerusform>メッセージを削除</numerusform>
        </translation>
    </message>
    <message>
        <source>restore message</source>
        <translation>メッセージを復元</translation>
    </message>
    <message>
        <source>switch version</source>
        <translation>バージョンを切り替え</translation>
    </message>
    <message>
        <source>edit</source>
        <translation>編集</translation>
    </message>
    <message>
        <source>start of the context</source>
        <translation>コンテキストの開始位置</translation>
    </message>
    <message>
        <source>add note</source>
        <translation>メモの追加</translation>
    </message>
    <message>
        <source>ask a question</source>
        <translation>質問</translation>
    </message>
    <message>
        <source>ask for an answer</source>
        <translation>回答の依頼</translation>
    </message>
    <message>
        <source>The message has about {scaled} tokens; the model reads {window} at once and {reserved} of them are kept for the answer.</source>
        <translation>メッセージは約{scaled}トークンです。モデルが一度に読めるのは{window}で、うち{reserved}は回答用に確保されます。</translation>
    </message>
    <message>
        <source>The system prompt has about {scaled} tokens and leaves no room for the message: the model reads {window} at once and {reserved} of them are kept for the answer.</source>
        <translation>システムプロンプトは約{scaled}トークンあり、メッセージの余地がありません。モデルが一度に読めるのは{window}で、うち{reserved}は回答用に確保されます。</translation>
    </message>
    <message>
        <source>ChatDesk made a mistake while it summarised.</source>
        <translation>要約中にChatDeskで誤りが起きました。</translation>
    </message>
    <message>
        <source>The report could not be written to {target}: {reason}.</source>
        <translation>レポートを{target}に書き込めませんでした: {reason}。</translation>
    </message>
    <message>
        <source>Nothing half-written was left.</source>
        <translation>書きかけのものは残っていません。</translation>
    </message>
    <message>
        <source>ChatDesk ended unexpectedly.</source>
        <translation>ChatDeskが予期せず終了しました。</translation>
    </message>
    <message>
        <source>note</source>
        <comment>finding</comment>
        <translation>注意</translation>
    </message>
    <message>
        <source>problem</source>
        <translation>問題</translation>
    </message>
    <message>
        <source>No answer within {timeout_s} s.</source>
        <translation>{timeout_s}秒以内に応答がありません。</translation>
    </message>
    <message>
        <source>The check itself failed ({name}).</source>
        <translation>確認自体に失敗しました({name})。</translation>
    </message>
    <message>
        <source>versions</source>
        <translation>バージョン</translation>
    </message>
    <message>
        <source>ChatDesk {version}, Python {python}</source>
        <translation>ChatDesk {version}、Python {python}</translation>
    </message>
    <message>
        <source>data directory</source>
        <translation>データディレクトリ</translation>
    </message>
    <message>
        <source>settings directory</source>
        <translation>設定ディレクトリ</translation>
    </message>
    <message>
        <source>logs directory</source>
        <translation>ログディレクトリ</translation>
    </message>
    <message>
        <source>backups directory</source>
        <translation>バックアップディレクトリ</translation>
    </message>
    <message>
        <source>{path} is not a directory.</source>
        <translation>{path}はディレクトリではありません。</translation>
    </message>
    <message>
        <source>{path} (made when it is needed)</source>
        <translation>{path}(必要なときに作成)</translation>
    </message>
    <message>
        <source>{path} cannot be written to. Check its owner and permissions.</source>
        <translation>{path}に書き込めません。所有者と権限を確認してください。</translation>
    </message>
    <message>
        <source>Others can look into {path}. Run: chmod 700 {path}</source>
        <translation>ほかの人が{path}の中を見られます。実行してください: chmod 700 {path}</translation>
    </message>
    <message>
        <source>Only {free_bytes} MB are free. Free some space soon.</source>
        <translation>空き容量が{free_bytes} MBしかありません。早めに増やしてください。</translation>
    </message>
    <message>
        <source>{free_bytes} MB free</source>
        <translation>空き容量{free_bytes} MB</translation>
    </message>
    <message>
        <source>disk</source>
        <translation>ディスク</translation>
    </message>
    <message>
        <source>PySide6 is not installed, so there can be no window.</source>
        <translation>PySide6がインストールされていないため、ウィンドウを開けません。</translation>
    </message>
    <message>
        <source>display</source>
        <translation>画面</translation>
    </message>
    <message>
        <source>the system&apos;s</source>
        <translation>システムのもの</translation>
    </message>
    <message>
        <source>No display here: the window runs unseen, the command line works.</source>
        <translation>ここにはディスプレイがありません。ウィンドウは表示されませんが、コマンドラインは使えます。</translation>
    </message>
    <message numerus="yes">
        <source>Written since, and not in it: {count} messages, in {names}. Export them first to keep them at hand.</source>
        <comment>Written since, and not in it: {count} message, in {names}. Export them first to keep them at hand.</comment>
        <translation>
            <numerusform>その後に書かれ、含まれていないもの: {names}の{count}件のメッセージ。手元に残すには、先にエクスポートしてください。</numerusform>
        </translation>
    </message>
    <message>
        <source>From an older ChatDesk (schema {schema}); it is upgraded at the next start.</source>
        <translation>以前のChatDeskのもの(スキーマ{schema})です。次回起動時にアップグレードされます。</translation>
    </message>
    <message numerus="yes">
        <source>{count} attached files are neither in it nor in the data directory.</source>
        <comment>{count} attached file is neither in it nor in the data directory.</comment>
        <translation>
            <numerusform>{count}個の添付ファイルが、バックアップにもデータディレクトリにもありません。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} answers had not ended: they stay as interrupted, and nothing is sent.</source>
        <comment>{count} answer had not ended: they stay as interrupted, and nothing is sent.</comment>
        <translation>
            <numerusform>{count}件の回答が未完了でした。中断として残り、何も送られません。</numerusform>
        </translation>
    </message>
    <message>
        <source>others</source>
        <translation>その他</translation>
    </message>
    <message>
        <source>Teams: {names}. ChatDesk does not connect to them until you join them again.</source>
        <translation>チーム: {names}。再び参加するまでChatDeskは接続しません。</translation>
    </message>
    <message>
        <source>Afterwards search fills up again in the background.</source>
        <translation>その後、検索はバックグラウンドで再構築されます。</translation>
    </message>
    <message>
        <source>Exported {threads} to {name}.</source>
        <translation>{threads}を{name}にエクスポートしました。</translation>
    </message>
    <message numerus="yes">
        <source>{count} attachments are missing or damaged; the export has only their names: {lost}</source>
        <comment>{count} attachment is missing or damaged; the export has only its name: {lost}</comment>
        <translation>
            <numerusform>{count}個の添付ファイルが欠けているか破損しているため、名前だけを記載します: {lost}</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} attachments are missing or damaged; the export has only their names</source>
        <comment>{count} attachment is missing or damaged; the export has only its name</comment>
        <translation>
            <numerusform>{count}個の添付ファイルが欠けているか破損しているため、名前だけを記載します</numerusform>
        </translation>
    </message>
    <message>
        <source>new</source>
        <comment>thread</comment>
        <translation>新規</translation>
    </message>
    <message>
        <source>has new messages</source>
        <translation>新しいメッセージあり</translation>
    </message>
    <message>
        <source>here already</source>
        <translation>すでにここにあります</translation>
    </message>
    <message>
        <source>in the trash</source>
        <translation>ゴミ箱内</translation>
    </message>
    <message>
        <source>deleted before</source>
        <translation>以前に削除済み</translation>
    </message>
    <message>
        <source>{server} without a proxy</source>
        <translation>{server}(プロキシなし)</translation>
    </message>
    <message>
        <source>{server} through the proxy {proxy}</source>
        <translation>{server}(プロキシ{proxy}経由)</translation>
    </message>
    <message>
        <source>{server}, trusting a file of certificates ({ca}…)</source>
        <translation>{server}(証明書ファイルを信頼: {ca}…)</translation>
    </message>
    <message>
        <source>Send the key of {short} to {server}?</source>
        <translation>{short}のキーを{server}に送りますか？</translation>
    </message>
    <message>
        <source>The variable {variable} names the server of {label}, {server}. Only a key from a variable is sent there, never one that is kept.</source>
        <translation>変数{variable}が{label}のサーバー{server}を指定しています。そこへは変数のキーだけが送られ、保管されたキーは送られません。</translation>
    </message>
    <message>
        <source>The key of {label} would travel unencrypted to {words}: anybody on the way could read it.</source>
        <translation>{label}のキーが暗号化されずに{words}へ送られます。途中の誰でも読み取れます。</translation>
    </message>
    <message>
        <source>The key of {label} was kept by an earlier ChatDesk, which did not note the server that it is for. It would be sent to {words}.</source>
        <translation>{label}のキーは以前のChatDeskが保管したもので、対象のサーバーが記録されていません。{words}へ送られます。</translation>
    </message>
    <message>
        <source>The key of {label} was given for {words}. It would be sent to {wanted}.</source>
        <translation>{label}のキーは{words}用に入力されたものです。{wanted}へ送られます。</translation>
    </message>
    <message>
        <source>It would travel unencrypted.</source>
        <translation>暗号化されずに送られます。</translation>
    </message>
    <message>
        <source>Put the key for that server into OPENAI_API_KEY, or remove the variable.</source>
        <translation>そのサーバーのキーをOPENAI_API_KEYに入れるか、変数を削除してください。</translation>
    </message>
    <message>
        <source>If that is what you want, agree in Settings, Providers, or with &apos;chatdesk providers --agree {provider}&apos;.</source>
        <translation>これでよければ、「設定」の「プロバイダー」または&apos;chatdesk providers --agree {provider}&apos;で同意してください。</translation>
    </message>
    <message>
        <source>Agree, or enter the key again.</source>
        <translation>同意するか、キーを入力し直してください。</translation>
    </message>
    <message>
        <source>it must look like 20/min, with s, min, h or day after the stroke</source>
        <translation>20/minのような形式で、スラッシュの後はs、min、h、dayのいずれかです</translation>
    </message>
    <message>
        <source>“{unit}” is no period; use s, min, h or day</source>
        <translation>「{unit}」は期間ではありません。s、min、h、dayのいずれかを使ってください</translation>
    </message>
    <message>
        <source>the number of messages must be from 1 to {most_messages}</source>
        <translation>メッセージの数は1から{most_messages}まででなければなりません</translation>
    </message>
    <message>
        <source>the period must be from a second to 30 days</source>
        <translation>期間は1秒から30日まででなければなりません</translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens</source>
        <comment>{count} token</comment>
        <translation>
            <numerusform>{count}トークン</numerusform>
        </translation>
    </message>
    <message>
        <source>a day</source>
        <translation>1日</translation>
    </message>
    <message>
        <source>a month</source>
        <translation>1か月</translation>
    </message>
    <message>
        <source>{period} for {label}</source>
        <translation>{label}の{period}</translation>
    </message>
    <message>
        <source>Your messages are kept, and the newest ones are sent as they fit.</source>
        <translation>メッセージは保存されており、新しいものから収まる分だけ送られます。</translation>
    </message>
    <message>
        <source>Summaries and titles are made again tomorrow; the limit is in Settings, Context.</source>
        <translation>要約とタイトルは明日再び作成されます。上限は「設定」の「コンテキスト」にあります。</translation>
    </message>
    <message>
        <source>Today&apos;s limit of {limit} tokens for summaries and titles is reached ({spent} are used).</source>
        <translation>要約とタイトルの今日の上限{limit}トークンに達しました(使用済み{spent})。</translation>
    </message>
    <message>
        <source>Titles and summaries stop at {limit} ({spent} are used).</source>
        <translation>タイトルと要約は{limit}で停止します(使用済み{spent})。</translation>
    </message>
    <message>
        <source>They are made again when the limit starts again; it is in Settings, Usage and limits.</source>
        <translation>上限が新しく始まると再び作成されます。「設定」の「使用量と上限」にあります。</translation>
    </message>
    <message>
        <source>Your question is kept.</source>
        <translation>質問は保存されています。</translation>
    </message>
    <message>
        <source>waiting for an answer</source>
        <translation>回答待ち</translation>
    </message>
    <message>
        <source>This answer has not begun.</source>
        <translation>この回答はまだ始まっていません。</translation>
    </message>
    <message>
        <source>This answer is still being written.</source>
        <translation>この回答はまだ書かれている途中です。</translation>
    </message>
    <message>
        <source>This answer was stopped.</source>
        <translation>この回答は停止されました。</translation>
    </message>
    <message>
        <source>This answer was interrupted.</source>
        <translation>この回答は中断されました。</translation>
    </message>
    <message>
        <source>This answer failed.</source>
        <translation>この回答は失敗しました。</translation>
    </message>
    <message>
        <source>A part of this message is damaged. What can be read of it is shown; a backup may have it whole.</source>
        <translation>このメッセージの一部が壊れています。読める部分を表示しています。バックアップには全体が残っているかもしれません。</translation>
    </message>
    <message>
        <source>being written</source>
        <translation>書き込み中</translation>
    </message>
    <message>
        <source>stopped</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>interrupted</source>
        <translation>中断</translation>
    </message>
    <message>
        <source>{name} must be a number.</source>
        <translation>{name}は数値でなければなりません。</translation>
    </message>
    <message>
        <source>{name} must be between 0 and {most}.</source>
        <translation>{name}は0から{most}まででなければなりません。</translation>
    </message>
    <message>
        <source>The length of an answer must be between 1 and {largest_answer} tokens.</source>
        <translation>回答の長さは1から{largest_answer}トークンまででなければなりません。</translation>
    </message>
    <message>
        <source>The reasoning effort must be one of {reasoning_efforts}.</source>
        <translation>推論の深さは{reasoning_efforts}のいずれかでなければなりません。</translation>
    </message>
    <message>
        <source>There may be at most {most_stop_words} stop words.</source>
        <translation>停止語は最大{most_stop_words}個です。</translation>
    </message>
    <message>
        <source>A stop word has 1 to {longest_stop_word} characters.</source>
        <translation>停止語は1から{longest_stop_word}文字です。</translation>
    </message>
    <message>
        <source>The temperature</source>
        <translation>温度</translation>
    </message>
    <message>
        <source>Top-p</source>
        <translation>Top-p</translation>
    </message>
    <message>
        <source>An assistant has at most {most_in_message} files.</source>
        <translation>アシスタントのファイルは最大{most_in_message}個です。</translation>
    </message>
    <message>
        <source>Leave some of them out.</source>
        <translation>いくつか外してください。</translation>
    </message>
    <message>
        <source>The provider&apos;s id may have small letters, digits and hyphens only.</source>
        <translation>プロバイダーのidに使えるのは小文字、数字、ハイフンだけです。</translation>
    </message>
    <message>
        <source>Give the provider a name.</source>
        <translation>プロバイダーに名前を付けてください。</translation>
    </message>
    <message>
        <source>The address must begin with https:// or http://, name a server and hold no password.</source>
        <translation>アドレスはhttps://またはhttp://で始まり、サーバー名を含み、パスワードを含まないものにしてください。</translation>
    </message>
    <message>
        <source>“{name}” is not the name of a header.</source>
        <translation>「{name}」はヘッダーの名前ではありません。</translation>
    </message>
    <message>
        <source>The value of the header {name} contains characters that cannot be sent.</source>
        <translation>ヘッダー{name}の値に送信できない文字が含まれています。</translation>
    </message>
    <message>
        <source>The proxy must be an address such as http://proxy.example:3128, without a password. One that wants a password is set with the variable HTTPS_PROXY.</source>
        <translation>プロキシはhttp://proxy.example:3128のような、パスワードを含まないアドレスにしてください。パスワードが必要なプロキシは変数HTTPS_PROXYで設定します。</translation>
    </message>
    <message>
        <source>The organisation and the project hold characters that cannot be sent.</source>
        <translation>組織とプロジェクトに送信できない文字が含まれています。</translation>
    </message>
    <message>
        <source>Times must be between 1 and 3,600 seconds.</source>
        <translation>時間は1から3,600秒まででなければなりません。</translation>
    </message>
    <message>
        <source>Nothing was sent; your text stays where it is.</source>
        <translation>何も送られていません。文章はそのまま残っています。</translation>
    </message>
    <message>
        <source>{name} chose {label} for this thread. You asked {before} here until now; your question, and the thread with it, would go to {label}.</source>
        <translation>{name}がこのスレッドに{label}を選びました。これまではここで{before}に質問していました。質問はスレッドとともに{label}へ送られます。</translation>
    </message>
    <message>
        <source>{name} chose {label} for this thread. Your own choice is {before}; your question, and the thread with it, would go to {label}.</source>
        <translation>{name}がこのスレッドに{label}を選びました。自分で選んだのは{before}です。質問はスレッドとともに{label}へ送られます。</translation>
    </message>
    <message>
        <source>Choose a model yourself, or name the provider: --provider {name}.</source>
        <translation>自分でモデルを選ぶか、プロバイダーを指定してください: --provider {name}。</translation>
    </message>
    <message>
        <source>Ask {label}?</source>
        <translation>{label}に質問しますか？</translation>
    </message>
    <message>
        <source>Since {since}, changes of “{project}” are missing on the team&apos;s server.</source>
        <translation>{since}から、「{project}」の変更がチームのサーバーに欠けています。</translation>
    </message>
    <message>
        <source>Since {since}, the team&apos;s server has other changes of “{project}” than it took.</source>
        <translation>{since}から、チームのサーバーにある「{project}」の変更が、受け付けたものと異なります。</translation>
    </message>
    <message>
        <source>Since {since}, changes of “{project}” are emptied on the team&apos;s server, and nobody asked for that.</source>
        <translation>{since}から、チームのサーバーにある「{project}」の変更が、誰も求めていないのに空になっています。</translation>
    </message>
    <message>
        <source>Since {since}, the team&apos;s server does not send all changes of “{project}” that it has.</source>
        <translation>{since}から、チームのサーバーは持っている「{project}」の変更をすべては送っていません。</translation>
    </message>
    <message>
        <source>It is no longer shared.</source>
        <translation>共有は終了しています。</translation>
    </message>
    <message>
        <source>You left it.</source>
        <translation>自分で離れました。</translation>
    </message>
    <message>
        <source>You were removed from it.</source>
        <translation>メンバーから外されました。</translation>
    </message>
    <message>
        <source>It was deleted from the team by its owner.</source>
        <translation>所有者がチームから削除しました。</translation>
    </message>
    <message>
        <source>It was erased for everybody by its owner.</source>
        <translation>所有者が全員分を消去しました。</translation>
    </message>
    <message>
        <source>“{name}” is no longer shared.</source>
        <translation>「{name}」の共有は終了しています。</translation>
    </message>
    <message>
        <source>You left “{name}”.</source>
        <translation>「{name}」を離れました。</translation>
    </message>
    <message>
        <source>You were removed from “{name}”.</source>
        <translation>「{name}」のメンバーから外されました。</translation>
    </message>
    <message>
        <source>“{name}” was deleted from the team by its owner.</source>
        <translation>「{name}」は所有者がチームから削除しました。</translation>
    </message>
    <message>
        <source>“{name}” was erased for everybody by its owner.</source>
        <translation>「{name}」は所有者が全員分を消去しました。</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes wait here to be sent.</source>
        <comment>{count} change waits here to be sent.</comment>
        <translation>
            <numerusform>{count}件の変更がここで送信待ちです。</numerusform>
        </translation>
    </message>
    <message>
        <source>Waiting for approval</source>
        <translation>承認待ち</translation>
    </message>
    <message>
        <source>Running</source>
        <translation>実行中</translation>
    </message>
    <message>
        <source>Done</source>
        <translation>完了</translation>
    </message>
    <message>
        <source>Denied</source>
        <translation>拒否</translation>
    </message>
    <message>
        <source>Failed</source>
        <translation>失敗</translation>
    </message>
    <message>
        <source>Unknown: ChatDesk ended while it ran</source>
        <translation>不明: 実行中にChatDeskが終了しました</translation>
    </message>
    <message>
        <source>It asks you to sign in: choose Sign in in Settings, Tools.</source>
        <translation>サインインを求めています。「設定」の「ツール」で「サインイン」を選んでください。</translation>
    </message>
    <message>
        <source>“{tool}” is left out: its description is not what the protocol allows.</source>
        <translation>「{tool}」は除かれています。説明がプロトコルに従っていません。</translation>
    </message>
    <message>
        <source>“{tool}” is left out: its name or its description is too long.</source>
        <translation>「{tool}」は除かれています。名前か説明が長すぎます。</translation>
    </message>
    <message>
        <source>“{tool}” is listed twice; the second one is left out.</source>
        <translation>「{tool}」が2回挙げられています。2つ目は除かれています。</translation>
    </message>
    <message>
        <source>Not all of its tools are offered: it lists too many.</source>
        <translation>すべてのツールは使えません。数が多すぎます。</translation>
    </message>
    <message>
        <source>Its list may be incomplete: it names the same page again and again.</source>
        <translation>一覧が不完全な可能性があります。同じページを何度も示しています。</translation>
    </message>
    <message>
        <source>The tool failed.</source>
        <translation>ツールが失敗しました。</translation>
    </message>
    <message>
        <source>Your messages are kept.</source>
        <translation>メッセージは保存されています。</translation>
    </message>
    <message>
        <source>Try again, or test the server in Settings, Tools.</source>
        <translation>もう一度試すか、「設定」の「ツール」でサーバーをテストしてください。</translation>
    </message>
    <message>
        <source>Type a number of tokens, such as 32000 or 128k.</source>
        <translation>32000や128kのようなトークン数を入力してください。</translation>
    </message>
    <message>
        <source>The context is between {smallest_window} and {largest_window} tokens.</source>
        <translation>コンテキストは{smallest_window}から{largest_window}トークンまでです。</translation>
    </message>
    <message>
        <source>Type dollars for a million tokens, such as 0.25.</source>
        <translation>100万トークンあたりのドルを0.25のように入力してください。</translation>
    </message>
    <message>
        <source>Something went wrong.</source>
        <translation>問題が発生しました。</translation>
    </message>
    <message>
        <source>Try again.</source>
        <translation>もう一度試してください。</translation>
    </message>
    <message>
        <source>That is not a valid id.</source>
        <translation>有効なidではありません。</translation>
    </message>
    <message>
        <source>Check the id; it looks like 0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6e.</source>
        <translation>idを確認してください。0190b3c2-7c1e-7cc0-98f6-3d2a1b4c5d6eのような形です。</translation>
    </message>
    <message>
        <source>The message is empty.</source>
        <translation>メッセージが空です。</translation>
    </message>
    <message>
        <source>Type something first.</source>
        <translation>先に何か入力してください。</translation>
    </message>
    <message>
        <source>The message is larger than the limit.</source>
        <translation>メッセージが上限を超えています。</translation>
    </message>
    <message>
        <source>Your text is kept in the composer.</source>
        <translation>文章は入力欄に残っています。</translation>
    </message>
    <message>
        <source>Shorten it, or attach it as a file.</source>
        <translation>短くするか、ファイルとして添付してください。</translation>
    </message>
    <message>
        <source>The file is larger than the limit.</source>
        <translation>ファイルが上限を超えています。</translation>
    </message>
    <message>
        <source>Attach a smaller file or a part of it, or raise the limit in the settings.</source>
        <translation>小さいファイルか一部を添付するか、設定で上限を上げてください。</translation>
    </message>
    <message>
        <source>“{name}” is larger than {limit}.</source>
        <translation>「{name}」が{limit}を超えています。</translation>
    </message>
    <message>
        <source>The file is larger than {limit}.</source>
        <translation>ファイルが{limit}を超えています。</translation>
    </message>
    <message>
        <source>The file cannot be attached.</source>
        <translation>ファイルを添付できません。</translation>
    </message>
    <message>
        <source>Choose another file.</source>
        <translation>別のファイルを選んでください。</translation>
    </message>
    <message>
        <source>This file cannot be imported.</source>
        <translation>このファイルはインポートできません。</translation>
    </message>
    <message>
        <source>A thread needs a title.</source>
        <translation>スレッドにはタイトルが必要です。</translation>
    </message>
    <message>
        <source>The old title is kept.</source>
        <translation>以前のタイトルのままです。</translation>
    </message>
    <message>
        <source>Type at least one character.</source>
        <translation>1文字以上入力してください。</translation>
    </message>
    <message>
        <source>It may have been deleted for good; look in the list.</source>
        <translation>完全に削除されたのかもしれません。一覧を確認してください。</translation>
    </message>
    <message>
        <source>There is no thread with that id.</source>
        <translation>そのidのスレッドはありません。</translation>
    </message>
    <message>
        <source>There is no message with that id.</source>
        <translation>そのidのメッセージはありません。</translation>
    </message>
    <message>
        <source>The message to answer to does not exist in this thread.</source>
        <translation>回答先のメッセージがこのスレッドに存在しません。</translation>
    </message>
    <message>
        <source>There is no project with that id.</source>
        <translation>そのidのプロジェクトはありません。</translation>
    </message>
    <message>
        <source>There is no summary with that id.</source>
        <translation>そのidの要約はありません。</translation>
    </message>
    <message>
        <source>There is no prompt with that id.</source>
        <translation>そのidのプロンプトはありません。</translation>
    </message>
    <message>
        <source>The message is larger than what the model can read at once.</source>
        <translation>メッセージが、モデルが一度に読める量を超えています。</translation>
    </message>
    <message>
        <source>Shorten it, attach it as a file, or choose a model with a larger window.</source>
        <translation>短くするか、ファイルとして添付するか、ウィンドウの大きいモデルを選んでください。</translation>
    </message>
    <message>
        <source>The system prompt leaves no room for the message.</source>
        <translation>システムプロンプトのためにメッセージの余地がありません。</translation>
    </message>
    <message>
        <source>Shorten the system prompt, or choose a model with a larger window.</source>
        <translation>システムプロンプトを短くするか、ウィンドウの大きいモデルを選んでください。</translation>
    </message>
    <message>
        <source>The question is excluded from the context, so there is nothing to answer.</source>
        <translation>質問がコンテキストから除外されているため、回答するものがありません。</translation>
    </message>
    <message>
        <source>Take it back into the context, or ask again.</source>
        <translation>コンテキストに戻すか、もう一度質問してください。</translation>
    </message>
    <message>
        <source>Some messages of this summary are gone or no longer shown.</source>
        <translation>この要約のメッセージの一部がなくなったか、表示されなくなっています。</translation>
    </message>
    <message>
        <source>Nothing was changed; as many of the remaining messages as fit are sent.</source>
        <translation>何も変更されていません。残っているメッセージが収まる分だけ送られます。</translation>
    </message>
    <message>
        <source>Create the summary again.</source>
        <translation>要約を作り直してください。</translation>
    </message>
    <message>
        <source>The model gave no summary that can be used.</source>
        <translation>モデルから使える要約が得られませんでした。</translation>
    </message>
    <message>
        <source>Nothing was changed; as many of the newest messages as fit are sent.</source>
        <translation>何も変更されていません。新しいメッセージから収まる分だけ送られます。</translation>
    </message>
    <message>
        <source>ChatDesk tries again later.</source>
        <translation>ChatDeskが後で再試行します。</translation>
    </message>
    <message>
        <source>Summarising this thread would cost more than the limit.</source>
        <translation>このスレッドの要約には上限を超える費用がかかります。</translation>
    </message>
    <message>
        <source>No summary was asked for; as many of the newest messages as fit are sent instead.</source>
        <translation>要約は依頼していません。代わりに、新しいメッセージから収まる分だけ送られます。</translation>
    </message>
    <message>
        <source>Allow it, or leave the thread as it is; the limit is in Settings, Usage and limits.</source>
        <translation>許可するか、スレッドをそのままにしてください。上限は「設定」の「使用量と上限」にあります。</translation>
    </message>
    <message>
        <source>This thread is in the trash.</source>
        <translation>このスレッドはゴミ箱にあります。</translation>
    </message>
    <message>
        <source>Restore it first.</source>
        <translation>先に復元してください。</translation>
    </message>
    <message>
        <source>This message is in the trash.</source>
        <translation>このメッセージはゴミ箱にあります。</translation>
    </message>
    <message>
        <source>An answer is still being written in this thread.</source>
        <translation>このスレッドではまだ回答が書かれています。</translation>
    </message>
    <message>
        <source>Wait for it or stop it first.</source>
        <translation>終わるのを待つか、先に停止してください。</translation>
    </message>
    <message>
        <source>The database could not be used.</source>
        <translation>データベースを使えませんでした。</translation>
    </message>
    <message>
        <source>Run &apos;chatdesk doctor&apos; for details.</source>
        <translation>詳しくは&apos;chatdesk doctor&apos;を実行してください。</translation>
    </message>
    <message>
        <source>The disk is full, so this could not be saved.</source>
        <translation>ディスクがいっぱいのため、保存できませんでした。</translation>
    </message>
    <message>
        <source>Everything saved before is unchanged, and your text is still in the window.</source>
        <translation>以前に保存したものはすべて変わっていません。入力した文章はウィンドウに残っています。</translation>
    </message>
    <message>
        <source>Everything saved before is unchanged.</source>
        <translation>以前に保存したものはすべて変わっていません。</translation>
    </message>
    <message>
        <source>Free some space and try again.</source>
        <translation>空き容量を増やして、もう一度試してください。</translation>
    </message>
    <message>
        <source>The answer could not be saved.</source>
        <translation>回答を保存できませんでした。</translation>
    </message>
    <message>
        <source>What was saved before is unchanged; of the answer only the beginning may be kept.</source>
        <translation>以前に保存したものは変わっていません。回答は最初の部分だけが保存されている可能性があります。</translation>
    </message>
    <message>
        <source>Free disk space or correct the permissions so that ChatDesk can save, then ask again.</source>
        <translation>ChatDeskが保存できるように空き容量を増やすか権限を直してから、もう一度質問してください。</translation>
    </message>
    <message>
        <source>Another program is using the database.</source>
        <translation>別のプログラムがデータベースを使用しています。</translation>
    </message>
    <message>
        <source>Close the other program or try again in a moment.</source>
        <translation>そのプログラムを閉じるか、しばらくしてからもう一度試してください。</translation>
    </message>
    <message>
        <source>The database cannot be written to.</source>
        <translation>データベースに書き込めません。</translation>
    </message>
    <message>
        <source>You can still read everything.</source>
        <translation>読むことはすべてできます。</translation>
    </message>
    <message>
        <source>Check the permissions of the data directory.</source>
        <translation>データディレクトリの権限を確認してください。</translation>
    </message>
    <message>
        <source>The database file is damaged.</source>
        <translation>データベースファイルが破損しています。</translation>
    </message>
    <message>
        <source>The file was left as it is; backups are in the backup directory.</source>
        <translation>ファイルはそのまま残してあります。バックアップはバックアップディレクトリにあります。</translation>
    </message>
    <message>
        <source>Restore the newest backup, or copy out what can be read: &apos;chatdesk doctor --repair&apos;.</source>
        <translation>最新のバックアップを復元するか、読めるものをコピーしてください: &apos;chatdesk doctor --repair&apos;。</translation>
    </message>
    <message>
        <source>Run &apos;chatdesk doctor --repair&apos;; if that does not help, send the report of &apos;chatdesk doctor&apos;.</source>
        <translation>&apos;chatdesk doctor --repair&apos;を実行してください。それでも直らない場合は、&apos;chatdesk doctor&apos;の報告を送ってください。</translation>
    </message>
    <message>
        <source>A database was here before, and now it is missing or empty.</source>
        <translation>以前ここにあったデータベースがなくなったか、空になっています。</translation>
    </message>
    <message>
        <source>Choose the export as its program wrote it.</source>
        <translation>エクスポートは、プログラムが書き出したままのものを選んでください。</translation>
    </message>
    <message>
        <source>Nothing was created in its place.</source>
        <translation>代わりのものは作成されていません。</translation>
    </message>
    <message>
        <source>Restore the file or a backup; run &apos;chatdesk doctor&apos; for the paths.</source>
        <translation>ファイルかバックアップを復元してください。パスは&apos;chatdesk doctor&apos;で確認できます。</translation>
    </message>
    <message>
        <source>The database file was moved or replaced while ChatDesk was running.</source>
        <translation>ChatDeskの実行中にデータベースファイルが移動または置き換えられました。</translation>
    </message>
    <message>
        <source>Writing has stopped so that nothing goes into the wrong file.</source>
        <translation>間違ったファイルに書き込まないよう、書き込みを停止しました。</translation>
    </message>
    <message>
        <source>Close ChatDesk, put the file back, and start again.</source>
        <translation>ChatDeskを閉じ、ファイルを元に戻してから、もう一度起動してください。</translation>
    </message>
    <message>
        <source>The database is out of reach: its drive, folder or file is not there.</source>
        <translation>データベースにアクセスできません。ドライブ、フォルダー、またはファイルがありません。</translation>
    </message>
    <message>
        <source>Nothing was written anywhere else, and your text is still in the window.</source>
        <translation>ほかの場所には何も書き込まれていません。入力した文章はウィンドウに残っています。</translation>
    </message>
    <message>
        <source>Nothing was written anywhere else.</source>
        <translation>ほかの場所には何も書き込まれていません。</translation>
    </message>
    <message>
        <source>Connect the drive or put the file back; ChatDesk then continues by itself.</source>
        <translation>ドライブを接続するか、ファイルを元の場所に戻してください。その後ChatDeskは自動的に続行します。</translation>
    </message>
    <message>
        <source>This database was written by a newer ChatDesk.</source>
        <translation>このデータベースは新しいバージョンのChatDeskで書き込まれたものです。</translation>
    </message>
    <message>
        <source>It was not touched.</source>
        <translation>変更は加えていません。</translation>
    </message>
    <message>
        <source>Update ChatDesk to open it.</source>
        <translation>開くにはChatDeskをアップデートしてください。</translation>
    </message>
    <message>
        <source>The database could not be upgraded.</source>
        <translation>データベースをアップグレードできませんでした。</translation>
    </message>
    <message>
        <source>It was left as it was and can be read; a verified backup is in the backup directory.</source>
        <translation>元のままで、読むことができます。検証済みのバックアップがバックアップディレクトリにあります。</translation>
    </message>
    <message>
        <source>ChatDesk is already running on this data directory.</source>
        <translation>ChatDeskはすでにこのデータディレクトリで実行中です。</translation>
    </message>
    <message>
        <source>Use the open window, or choose another --data-dir.</source>
        <translation>開いているウィンドウを使うか、別の--data-dirを選んでください。</translation>
    </message>
    <message>
        <source>The output could not be written.</source>
        <translation>出力を書き込めませんでした。</translation>
    </message>
    <message>
        <source>Free some space, or send it elsewhere.</source>
        <translation>空き容量を増やすか、別の場所に出力してください。</translation>
    </message>
    <message>
        <source>The export could not be written.</source>
        <translation>エクスポートを書き込めませんでした。</translation>
    </message>
    <message>
        <source>Your messages are unchanged, and nothing half-written was left.</source>
        <translation>メッセージは変わっておらず、書きかけのものも残っていません。</translation>
    </message>
    <message>
        <source>You may read this shared project, but not write in it.</source>
        <translation>この共有プロジェクトは読むことができますが、書き込みはできません。</translation>
    </message>
    <message>
        <source>Ask an owner or administrator of the project to let you edit.</source>
        <translation>プロジェクトの所有者か管理者に、編集の許可を依頼してください。</translation>
    </message>
    <message>
        <source>Another member wrote this, and your role lets you change and delete only what is yours.</source>
        <translation>ほかのメンバーが書いたものです。現在の役割で変更や削除ができるのは自分のものだけです。</translation>
    </message>
    <message>
        <source>Ask the person who made it, or an owner or administrator of the project.</source>
        <translation>作成した人、またはプロジェクトの所有者か管理者に依頼してください。</translation>
    </message>
    <message>
        <source>The team&apos;s database did not do what was asked.</source>
        <translation>チームのデータベースが要求された処理を行いませんでした。</translation>
    </message>
    <message>
        <source>Everything you wrote is kept on this computer.</source>
        <translation>書いたものはすべてこのコンピューターに保存されています。</translation>
    </message>
    <message>
        <source>Open Details in the status line to see what it said.</source>
        <translation>応答の内容はステータス行の「詳細」で確認できます。</translation>
    </message>
    <message>
        <source>The team&apos;s database was restored from a backup.</source>
        <translation>チームのデータベースがバックアップから復元されました。</translation>
    </message>
    <message>
        <source>ChatDesk compares everything again and sends what that backup lacks.</source>
        <translation>ChatDeskがすべてを比べ直し、そのバックアップにないものを送信します。</translation>
    </message>
    <message>
        <source>Your message is kept.</source>
        <translation>メッセージは保存されています。</translation>
    </message>
    <message>
        <source>{who} sent something of another kind.</source>
        <translation>{who}は別の種類のものを送ってきました。</translation>
    </message>
    <message>
        <source>It could not be loaded.</source>
        <translation>読み込めませんでした。</translation>
    </message>
    <message>
        <source>{host} did not answer in time.</source>
        <translation>{host}が時間内に応答しませんでした。</translation>
    </message>
    <message>
        <source>{host} did not give an answer that can be used.</source>
        <translation>{host}から使える応答がありませんでした。</translation>
    </message>
    <message>
        <source>The address leads to another server: {host}.</source>
        <translation>このアドレスは別のサーバーに移っています: {host}。</translation>
    </message>
    <message>
        <source>{host} redirects in a circle.</source>
        <translation>{host}のリダイレクトが循環しています。</translation>
    </message>
    <message>
        <source>{host} redirects to another address.</source>
        <translation>{host}は別のアドレスへリダイレクトしています。</translation>
    </message>
    <message>
        <source>{host} is this computer or an address for machines only; nothing is loaded from there.</source>
        <translation>{host}はこのコンピューターか機械専用のアドレスです。そこからは何も読み込みません。</translation>
    </message>
    <message>
        <source>{host} is in a private network.</source>
        <translation>{host}はプライベートネットワーク内にあります。</translation>
    </message>
    <message>
        <source>Nothing can be loaded from this address.</source>
        <translation>このアドレスからは何も読み込めません。</translation>
    </message>
    <message>
        <source>{hostname} answered with the error {status}.</source>
        <translation>{hostname}はエラー{status}を返しました。</translation>
    </message>
    <message>
        <source>The data came compressed in a way that ChatDesk did not ask for.</source>
        <translation>データはChatDeskが求めていない方法で圧縮されていました。</translation>
    </message>
    <message>
        <source>The data did not arrive completely.</source>
        <translation>データが最後まで届きませんでした。</translation>
    </message>
    <message>
        <source>The data is larger than {max_bytes} MB.</source>
        <translation>データが{max_bytes} MBを超えています。</translation>
    </message>
    <message>
        <source>“{name}” beside it is a link or a file, not a folder</source>
        <translation>隣の「{name}」はフォルダーではなく、リンクかファイルです</translation>
    </message>
    <message>
        <source>The disk of {target} is full.</source>
        <translation>{target}のディスクがいっぱいです。</translation>
    </message>
    <message>
        <source>Free some space, or choose another place.</source>
        <translation>空き容量を増やすか、別の場所を選んでください。</translation>
    </message>
    <message>
        <source>{target} may not be written by this user.</source>
        <translation>このユーザーは{target}に書き込めません。</translation>
    </message>
    <message>
        <source>{target} is a folder.</source>
        <translation>{target}はフォルダーです。</translation>
    </message>
    <message>
        <source>Name a file in it.</source>
        <translation>その中のファイルを指定してください。</translation>
    </message>
    <message>
        <source>The folder of {target} is not there.</source>
        <translation>{target}のフォルダーがありません。</translation>
    </message>
    <message>
        <source>Put the drive back, or choose another place.</source>
        <translation>ドライブを元に戻すか、別の場所を選んでください。</translation>
    </message>
    <message>
        <source>No file can be made in {parent}.</source>
        <translation>{parent}にファイルを作成できません。</translation>
    </message>
    <message>
        <source>The name {name}… is too long for that place.</source>
        <translation>{name}…という名前はその場所には長すぎます。</translation>
    </message>
    <message>
        <source>{target} could not be written: {strerror}.</source>
        <translation>{target}に書き込めませんでした: {strerror}。</translation>
    </message>
    <message>
        <source>“chatdesk {purpose}” (process {pid}) is using this data directory.</source>
        <translation>「chatdesk {purpose}」(プロセス{pid})がこのデータディレクトリで作業中です。</translation>
    </message>
    <message>
        <source>Wait until it has ended, then try again; or choose another --data-dir.</source>
        <translation>終わるのを待ってからもう一度試すか、別の--data-dirを選んでください。</translation>
    </message>
    <message>
        <source>Another process answers in the place of the ChatDesk that has this data directory open.</source>
        <translation>このデータディレクトリを開いているChatDeskの代わりに、別のプロセスが応答しています。</translation>
    </message>
    <message>
        <source>Nothing was sent to it.</source>
        <translation>そこには何も送られていません。</translation>
    </message>
    <message>
        <source>Close ChatDesk and start it again; &apos;chatdesk doctor&apos; shows who owns the directory.</source>
        <translation>ChatDeskを閉じて、もう一度起動してください。ディレクトリの所有者は&apos;chatdesk doctor&apos;で確認できます。</translation>
    </message>
    <message>
        <source>The ChatDesk that was answering has ended.</source>
        <translation>回答していたChatDeskが終了しました。</translation>
    </message>
    <message>
        <source>What had arrived of the answer is kept.</source>
        <translation>届いた分の回答は保存されています。</translation>
    </message>
    <message>
        <source>Ask again.</source>
        <translation>もう一度質問してください。</translation>
    </message>
    <message>
        <source>The disk is full, so ChatDesk can only read.</source>
        <translation>ディスクがいっぱいのため、ChatDeskは読み取りしかできません。</translation>
    </message>
    <message>
        <source>The data directory cannot be written to.</source>
        <translation>データディレクトリに書き込めません。</translation>
    </message>
    <message>
        <source>The file system of the data directory cannot lock files, so ChatDesk only reads from it.</source>
        <translation>データディレクトリのファイルシステムはファイルをロックできないため、ChatDeskは読み取りだけを行います。</translation>
    </message>
    <message>
        <source>Choose a data directory on a local disk.</source>
        <translation>ローカルディスク上のデータディレクトリを選んでください。</translation>
    </message>
    <message>
        <source>This ChatDesk does not do that.</source>
        <translation>このChatDeskはそれに対応していません。</translation>
    </message>
    <message>
        <source>Too many commands ask this ChatDesk at once. Try again later.</source>
        <translation>このChatDeskに同時に要求しているコマンドが多すぎます。後でもう一度試してください。</translation>
    </message>
    <message>
        <source>Something unexpected happened. The log says more.</source>
        <translation>予期しないことが起きました。詳しくはログを確認してください。</translation>
    </message>
    <message>
        <source>There is no home directory: HOME is not set, and the system knows none for this user.</source>
        <translation>ホームディレクトリがありません。HOMEが設定されておらず、システムにもこのユーザーのものがありません。</translation>
    </message>
    <message>
        <source>Set HOME, or choose an absolute directory with --data-dir.</source>
        <translation>HOMEを設定するか、--data-dirで絶対パスのディレクトリを選んでください。</translation>
    </message>
    <message>
        <source>The current directory no longer exists.</source>
        <translation>現在のディレクトリはもうありません。</translation>
    </message>
    <message>
        <source>Go to another one, or choose an absolute directory with --data-dir.</source>
        <translation>別のディレクトリに移動するか、--data-dirで絶対パスのディレクトリを選んでください。</translation>
    </message>
    <message>
        <source>The data directory cannot be used: the name {data_dir} is not UTF-8.</source>
        <translation>データディレクトリを使えません: 名前{data_dir}がUTF-8ではありません。</translation>
    </message>
    <message>
        <source>Rename it, or choose another with --data-dir.</source>
        <translation>名前を変更するか、--data-dirで別のものを選んでください。</translation>
    </message>
    <message>
        <source>The answer of {who} took longer than {duration} and was stopped.</source>
        <translation>{who}の回答が{duration}を超えたため停止しました。</translation>
    </message>
    <message>
        <source>Continue the answer, or try again.</source>
        <translation>回答を続行するか、もう一度試してください。</translation>
    </message>
    <message>
        <source>The base URL is not a web address.</source>
        <translation>ベースURLがWebアドレスではありません。</translation>
    </message>
    <message>
        <source>The base URL for {hostname} contains a user name or a password.</source>
        <translation>{hostname}のベースURLにユーザー名またはパスワードが含まれています。</translation>
    </message>
    <message>
        <source>The API key contains characters that no key has.</source>
        <translation>APIキーに、キーにはない文字が含まれています。</translation>
    </message>
    <message>
        <source>One of the extra headers contains characters that cannot be sent.</source>
        <translation>追加ヘッダーの1つに、送信できない文字が含まれています。</translation>
    </message>
    <message>
        <source>The extra header Host names another server than the address.</source>
        <translation>追加ヘッダーHostが、アドレスとは別のサーバーを指しています。</translation>
    </message>
    <message>
        <source>The proxy that the system names cannot be used: {proxy}. Name an HTTP proxy there, or set the proxy of this provider.</source>
        <translation>システムが指定するプロキシは使えません: {proxy}。HTTPプロキシを指定するか、このプロバイダーのプロキシを設定してください。</translation>
    </message>
    <message>
        <source>The file of certificates is not there.</source>
        <translation>証明書のファイルがありません。</translation>
    </message>
    <message>
        <source>Your message and the part of the answer that arrived are kept.</source>
        <translation>メッセージと、届いた分の回答は保存されています。</translation>
    </message>
    <message>
        <source>There is no network connection to {who}.</source>
        <translation>{who}へのネットワーク接続がありません。</translation>
    </message>
    <message>
        <source>Check the network, then try again; the offline model works without one.</source>
        <translation>ネットワークを確認して、もう一度試してください。オフラインモデルはネットワークなしで動きます。</translation>
    </message>
    <message>
        <source>The address of {who} could not be found.</source>
        <translation>{who}のアドレスが見つかりませんでした。</translation>
    </message>
    <message>
        <source>Check the network and the spelling of the base URL, then try again.</source>
        <translation>ネットワークとベースURLのつづりを確認して、もう一度試してください。</translation>
    </message>
    <message>
        <source>{who} refused the connection.</source>
        <translation>{who}が接続を拒否しました。</translation>
    </message>
    <message>
        <source>Check that the server is running and that the base URL names the right port.</source>
        <translation>サーバーが動いていることと、ベースURLのポートが正しいことを確認してください。</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate or encryption was not accepted.</source>
        <translation>{who}への接続は安全ではありません。証明書または暗号化が受け入れられませんでした。</translation>
    </message>
    <message>
        <source>Check the clock of this computer, the base URL and any proxy; nothing is sent until this is solved.</source>
        <translation>このコンピューターの時計、ベースURL、プロキシを確認してください。解決するまで何も送られません。</translation>
    </message>
    <message>
        <source>{who} did not accept the request.</source>
        <translation>{who}がリクエストを受け付けませんでした。</translation>
    </message>
    <message>
        <source>Change the message or choose another model, then try again.</source>
        <translation>メッセージを変更するか別のモデルを選んで、もう一度試してください。</translation>
    </message>
    <message>
        <source>{who} did not accept the API key.</source>
        <translation>{who}がAPIキーを受け付けませんでした。</translation>
    </message>
    <message>
        <source>Check the API key in the settings.</source>
        <translation>設定でAPIキーを確認してください。</translation>
    </message>
    <message>
        <source>The account at {who} has no credit left or has reached its spending limit.</source>
        <translation>{who}のアカウントの残高がないか、利用上限に達しています。</translation>
    </message>
    <message>
        <source>Check the billing page of the account, or choose another provider.</source>
        <translation>アカウントの請求ページを確認するか、別のプロバイダーを選んでください。</translation>
    </message>
    <message>
        <source>{who} does not allow this API key to do that.</source>
        <translation>{who}はこのAPIキーにその操作を許可していません。</translation>
    </message>
    <message>
        <source>Choose another model, or ask the owner of the account.</source>
        <translation>別のモデルを選ぶか、アカウントの所有者に問い合わせてください。</translation>
    </message>
    <message>
        <source>{who} does not know this model or this address.</source>
        <translation>{who}にはこのモデルまたはこのアドレスがありません。</translation>
    </message>
    <message>
        <source>Choose another model, or check the base URL.</source>
        <translation>別のモデルを選ぶか、ベースURLを確認してください。</translation>
    </message>
    <message>
        <source>{who} gave up on the request because it took too long.</source>
        <translation>{who}は時間がかかりすぎたためリクエストを打ち切りました。</translation>
    </message>
    <message>
        <source>Try again, or shorten the message.</source>
        <translation>もう一度試すか、メッセージを短くしてください。</translation>
    </message>
    <message>
        <source>{who} refused the request because it conflicts with another one.</source>
        <translation>ほかのリクエストと競合するため、{who}がリクエストを拒否しました。</translation>
    </message>
    <message>
        <source>Try again in a moment.</source>
        <translation>しばらくしてからもう一度試してください。</translation>
    </message>
    <message>
        <source>The thread is too long for this model.</source>
        <translation>スレッドがこのモデルには長すぎます。</translation>
    </message>
    <message>
        <source>Start a new thread, shorten the message, or choose a larger model.</source>
        <translation>新しいスレッドを始めるか、メッセージを短くするか、より大きなモデルを選んでください。</translation>
    </message>
    <message>
        <source>{who} is receiving too many requests.</source>
        <translation>{who}にリクエストが集中しています。</translation>
    </message>
    <message>
        <source>Wait a moment, then try again.</source>
        <translation>少し待ってから、もう一度試してください。</translation>
    </message>
    <message>
        <source>{who} had an internal error.</source>
        <translation>{who}で内部エラーが発生しました。</translation>
    </message>
    <message>
        <source>Try again in a moment or choose another model.</source>
        <translation>しばらくしてからもう一度試すか、別のモデルを選んでください。</translation>
    </message>
    <message>
        <source>{who} could not be reached within {seconds} s.</source>
        <translation>{seconds}秒以内に{who}に接続できませんでした。</translation>
    </message>
    <message>
        <source>Check the network and the base URL, then try again.</source>
        <translation>ネットワークとベースURLを確認して、もう一度試してください。</translation>
    </message>
    <message>
        <source>{who} did not begin to answer within {seconds} s.</source>
        <translation>{who}が{seconds}秒以内に回答を始めませんでした。</translation>
    </message>
    <message>
        <source>Try again, or give it more time: “First word” of this provider, or provider.first_byte_timeout_s.</source>
        <translation>もう一度試すか、時間を延ばしてください: このプロバイダーの「最初の語」、またはprovider.first_byte_timeout_s。</translation>
    </message>
    <message>
        <source>Try again or choose another model.</source>
        <translation>もう一度試すか、別のモデルを選んでください。</translation>
    </message>
    <message>
        <source>{who} stopped sending: no more of the answer arrived for {seconds} s.</source>
        <translation>{who}からの送信が止まりました: {seconds}秒間、回答の続きが届きませんでした。</translation>
    </message>
    <message>
        <source>{who} redirected the request to another address; ChatDesk did not follow, so nothing was sent there.</source>
        <translation>{who}はリクエストを別のアドレスへリダイレクトしました。ChatDeskは従わなかったため、そこには何も送られていません。</translation>
    </message>
    <message>
        <source>{who} redirected the request without saying where to.</source>
        <translation>{who}は行き先を示さずにリクエストをリダイレクトしました。</translation>
    </message>
    <message>
        <source>{who} redirected the request to an address that cannot be read.</source>
        <translation>{who}は読み取れないアドレスへリクエストをリダイレクトしました。</translation>
    </message>
    <message>
        <source>{who} redirected the request to something that is not a web address, so nothing was sent there.</source>
        <translation>{who}はウェブアドレスではないものへリクエストをリダイレクトしたため、そこには何も送られていません。</translation>
    </message>
    <message>
        <source>{who} redirected the request in a way that would lose the message, so ChatDesk did not follow.</source>
        <translation>{who}はメッセージが失われる方法でリクエストをリダイレクトしたため、ChatDeskは従いませんでした。</translation>
    </message>
    <message>
        <source>Check the base URL: a wrong path or a log-in page often causes this.</source>
        <translation>ベースURLを確認してください。パスの誤りやログインページが原因であることがよくあります。</translation>
    </message>
    <message>
        <source>{who} redirected the request to another address ({host}); ChatDesk did not follow, so nothing was sent there.</source>
        <translation>{who}はリクエストを別のアドレス({host})へリダイレクトしました。ChatDeskは従わなかったため、そこには何も送られていません。</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is self-signed.</source>
        <translation>{who}への接続は安全ではありません。証明書が自己署名です。</translation>
    </message>
    <message>
        <source>The connection to {who} was lost.</source>
        <translation>{who}への接続が切れました。</translation>
    </message>
    <message>
        <source>{who} sent something that ChatDesk cannot read.</source>
        <translation>{who}から、ChatDeskが読み取れないものが届きました。</translation>
    </message>
    <message>
        <source>Try again; if it stays so, check the base URL.</source>
        <translation>もう一度試してください。変わらない場合はベースURLを確認してください。</translation>
    </message>
    <message>
        <source>{who} ended the answer without saying that it is finished, so it may be cut off.</source>
        <translation>{who}が完了を知らせずに回答を終えたため、途切れている可能性があります。</translation>
    </message>
    <message>
        <source>{who} sent a web page or a file instead of an answer.</source>
        <translation>{who}から、回答の代わりにWebページかファイルが届きました。</translation>
    </message>
    <message>
        <source>Check the base URL (it usually ends in /v1), and sign in first if this network has a log-in page.</source>
        <translation>ベースURLを確認してください(通常は/v1で終わります)。このネットワークにログインページがある場合は、先にサインインしてください。</translation>
    </message>
    <message>
        <source>{who} sent an empty answer.</source>
        <translation>{who}から空の回答が届きました。</translation>
    </message>
    <message>
        <source>The content filter of {who} stopped the answer.</source>
        <translation>{who}のコンテンツフィルターが回答を停止しました。</translation>
    </message>
    <message>
        <source>Rephrase the message.</source>
        <translation>メッセージを言い換えてください。</translation>
    </message>
    <message>
        <source>{who} did not accept the image: it says that this model sees none.</source>
        <translation>{who}は画像を受け付けませんでした。このモデルは画像を見られないとのことです。</translation>
    </message>
    <message>
        <source>Send the question without the image, or choose another model.</source>
        <translation>画像なしで質問を送るか、別のモデルを選んでください。</translation>
    </message>
    <message>
        <source>{who} sent more data than an answer may have, so the connection was closed.</source>
        <translation>{who}から回答の限度を超えるデータが届いたため、接続を閉じました。</translation>
    </message>
    <message>
        <source>Ask for a shorter answer, or choose another model.</source>
        <translation>より短い回答を求めるか、別のモデルを選んでください。</translation>
    </message>
    <message>
        <source>Set the base URL to the final address if you trust it.</source>
        <translation>信頼できる場合は、ベースURLを最終的なアドレスに設定してください。</translation>
    </message>
    <message>
        <source>There is no API key for {who}.</source>
        <translation>{who}のAPIキーがありません。</translation>
    </message>
    <message>
        <source>Set OPENAI_API_KEY and start ChatDesk again, or choose the offline model.</source>
        <translation>OPENAI_API_KEYを設定してChatDeskを起動し直すか、オフラインモデルを選んでください。</translation>
    </message>
    <message>
        <source>The request to {who} failed.</source>
        <translation>{who}へのリクエストが失敗しました。</translation>
    </message>
    <message>
        <source>{who} is overloaded at the moment.</source>
        <translation>{who}は現在過負荷です。</translation>
    </message>
    <message>
        <source>{who} redirected the request in a circle, so ChatDesk gave up.</source>
        <translation>{who}がリクエストを循環して転送したため、ChatDeskは中止しました。</translation>
    </message>
    <message>
        <source>Check the base URL, then try again.</source>
        <translation>ベースURLを確認して、もう一度試してください。</translation>
    </message>
    <message>
        <source>Check the clock of this computer; nothing is sent until this is solved.</source>
        <translation>このコンピューターの時計を確認してください。解決するまで何も送られません。</translation>
    </message>
    <message>
        <source>Check the base URL and any proxy; nothing is sent until this is solved.</source>
        <translation>ベースURLとプロキシを確認してください。解決するまで何も送られません。</translation>
    </message>
    <message>
        <source>If it is your own server, name its certificate&apos;s file in Settings, Providers; nothing is sent until this is solved.</source>
        <translation>自分のサーバーの場合は、「設定」の「プロバイダー」で証明書ファイルを指定してください。解決するまで何も送られません。</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is signed by an authority that this computer does not trust.</source>
        <translation>{who}への接続は安全ではありません。証明書が、このコンピューターの信頼しない認証局によって署名されています。</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is not valid yet.</source>
        <translation>{who}への接続は安全ではありません。証明書がまだ有効になっていません。</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate has expired.</source>
        <translation>{who}への接続は安全ではありません。証明書の有効期限が切れています。</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is for another name.</source>
        <translation>{who}への接続は安全ではありません。証明書が別の名前のものです。</translation>
    </message>
    <message>
        <source>The connection to {who} is not secure: its certificate is for another address.</source>
        <translation>{who}への接続は安全ではありません。証明書が別のアドレスのものです。</translation>
    </message>
    <message numerus="yes">
        <source>{count} days</source>
        <comment>{count} day</comment>
        <translation>
            <numerusform>{count}日</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} hours</source>
        <comment>{count} hour</comment>
        <translation>
            <numerusform>{count}時間</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} minutes</source>
        <comment>{count} minute</comment>
        <translation>
            <numerusform>{count}分</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} seconds</source>
        <comment>{count} second</comment>
        <translation>
            <numerusform>{count}秒</numerusform>
        </translation>
    </message>
    <message>
        <source>This computer slept while the answer was being written, and the connection was lost.</source>
        <translation>回答が書かれている間にこのコンピューターがスリープし、接続が切れました。</translation>
    </message>
    <message>
        <source>ChatDesk made a mistake while reading the answer.</source>
        <translation>回答の読み取り中にChatDeskで誤りが起きました。</translation>
    </message>
    <message>
        <source>Try again; the log file has the details.</source>
        <translation>もう一度試してください。詳細はログファイルにあります。</translation>
    </message>
    <message>
        <source>Check the base URL in Settings, Providers: for most servers it ends in /v1.</source>
        <translation>設定の「プロバイダー」でベースURLを確認してください。ほとんどのサーバーでは/v1で終わります。</translation>
    </message>
    <message>
        <source>It says: “{quoted}”{stop}</source>
        <translation>応答の内容: 「{quoted}」{stop}</translation>
    </message>
    <message>
        <source>Try again in {duration}.</source>
        <translation>{duration}後にもう一度試してください。</translation>
    </message>
    <message>
        <source>{model} was retired by the company that made it.</source>
        <translation>{model}は開発元により提供が終了しました。</translation>
    </message>
    <message>
        <source>Choose another model; that company names {successor} in its place.</source>
        <translation>別のモデルを選んでください。開発元は代わりに{successor}を挙げています。</translation>
    </message>
    <message>
        <source>Choose another model; the nearest are {nearest}.</source>
        <translation>別のモデルを選んでください。近いものは{nearest}です。</translation>
    </message>
    <message>
        <source>Enter its key in Settings, Providers (OPENAI_API_KEY works for OpenAI), or choose the offline model.</source>
        <translation>設定の「プロバイダー」でキーを入力するか(OpenAIはOPENAI_API_KEYでも可)、オフラインモデルを選んでください。</translation>
    </message>
    <message>
        <source>Correct it in the settings, then try again.</source>
        <translation>設定で修正してから、もう一度試してください。</translation>
    </message>
    <message>
        <source>{what} Nothing was sent.</source>
        <translation>{what} 何も送られていません。</translation>
    </message>
    <message>
        <source>{who} offers no model.</source>
        <translation>{who}にはモデルがありません。</translation>
    </message>
    <message>
        <source>Install or load a model on the server, then try again.</source>
        <translation>サーバーにモデルをインストールするか読み込んで、もう一度試してください。</translation>
    </message>
    <message>
        <source>This took too long.</source>
        <translation>時間がかかりすぎました。</translation>
    </message>
    <message numerus="yes">
        <source>{count} models are offered.</source>
        <comment>{count} model is offered.</comment>
        <translation>
            <numerusform>{count}個のモデルが提供されています。</numerusform>
        </translation>
    </message>
    <message>
        <source>This server has no list of models; type their names.</source>
        <translation>このサーバーにはモデルの一覧がありません。名前を入力してください。</translation>
    </message>
    <message>
        <source>No model to ask: choose one, then test again.</source>
        <translation>質問するモデルがありません。選んでからもう一度テストしてください。</translation>
    </message>
    <message>
        <source>The server offers no model.</source>
        <translation>サーバーにモデルがありません。</translation>
    </message>
    <message>
        <source>{model} streams its answer.</source>
        <translation>{model}は回答をストリームで送ります。</translation>
    </message>
    <message>
        <source>The server answers.</source>
        <translation>サーバーが応答しています。</translation>
    </message>
    <message>
        <source>The connection is encrypted.</source>
        <translation>接続は暗号化されています。</translation>
    </message>
    <message>
        <source>Not encrypted: the address is http.</source>
        <translation>暗号化されていません。アドレスがhttpです。</translation>
    </message>
    <message>
        <source>{status}: {sentence}</source>
        <translation>{status}: {sentence}</translation>
    </message>
    <message>
        <source>The key is accepted.</source>
        <translation>キーは受け付けられました。</translation>
    </message>
    <message>
        <source>No key is needed.</source>
        <translation>キーは不要です。</translation>
    </message>
    <message>
        <source>{who} reached the length limit before it wrote any of the answer.</source>
        <translation>{who}は回答を書き始める前に長さの上限に達しました。</translation>
    </message>
    <message>
        <source>{who} called a tool that it was not offered, and wrote no answer.</source>
        <translation>{who}は提供されていないツールを呼び出し、回答を書きませんでした。</translation>
    </message>
    <message>
        <source>{switched_off} is switched off.</source>
        <translation>{switched_off}はオフになっています。</translation>
    </message>
    <message>
        <source>Switch it on in Settings, Providers, or choose another model.</source>
        <translation>「設定」の「プロバイダー」でオンにするか、別のモデルを選んでください。</translation>
    </message>
    <message>
        <source>There is no provider called “{name}”.</source>
        <translation>「{name}」というプロバイダーはありません。</translation>
    </message>
    <message>
        <source>Choose another model; the providers are: {known}.</source>
        <translation>別のモデルを選んでください。プロバイダー: {known}。</translation>
    </message>
    <message>
        <source>{label} has no key yet.</source>
        <translation>{label}にはまだキーがありません。</translation>
    </message>
    <message>
        <source>{label} is switched off.</source>
        <translation>{label}はオフになっています。</translation>
    </message>
    <message numerus="yes">
        <source>{count} models</source>
        <comment>{count} model</comment>
        <translation>
            <numerusform>{count}個のモデル</numerusform>
        </translation>
    </message>
    <message>
        <source>{label} answers and offers {number}.</source>
        <translation>{label}が応答し、{number}を提供しています。</translation>
    </message>
    <message>
        <source>Your last message was cut off. Continue it exactly where it stops, in the middle of the word or line if need be. Do not repeat anything and do not add an introduction.</source>
        <translation>前回のメッセージは途中で切れました。必要なら単語や行の途中からでも、切れたちょうどその場所から続けてください。何も繰り返さず、前置きも加えないでください。</translation>
    </message>
    <message>
        <source>Looking further back would take long: only the newest part was searched.</source>
        <translation>さらに遡ると時間がかかるため、新しい部分だけを検索しました。</translation>
    </message>
    <message>
        <source>The newest {most_ranked} matches were ranked; older ones follow.</source>
        <translation>新しい{most_ranked}件の一致を順位付けしました。古いものはその後に続きます。</translation>
    </message>
    <message>
        <source>Older messages are still being indexed: {percent} %.</source>
        <translation>古いメッセージの索引を作成中です: {percent} %。</translation>
    </message>
    <message>
        <source>Searching is not possible here: the search index is damaged. Your messages are not affected.</source>
        <translation>検索の索引が破損しているため、ここでは検索できません。メッセージに影響はありません。</translation>
    </message>
    <message>
        <source>The search index is damaged and is being rebuilt. Your messages are not affected; search again later.</source>
        <translation>検索の索引が破損しているため作り直しています。メッセージに影響はありません。後でもう一度検索してください。</translation>
    </message>
    <message>
        <source>That is not a place in these results.</source>
        <translation>この結果の中にその位置はありません。</translation>
    </message>
    <message>
        <source>Search again.</source>
        <translation>もう一度検索してください。</translation>
    </message>
    <message>
        <source>Summarise long threads</source>
        <translation>長いスレッドを要約</translation>
    </message>
    <message>
        <source>Older messages are sent as a summary. The messages themselves stay.</source>
        <translation>古いメッセージは要約として送られます。メッセージ自体は残ります。</translation>
    </message>
    <message>
        <source>Summaries</source>
        <translation>要約</translation>
    </message>
    <message>
        <source>Summarise when the window is</source>
        <translation>要約を始めるウィンドウの使用率</translation>
    </message>
    <message>
        <source>% full</source>
        <translation>% 使用</translation>
    </message>
    <message>
        <source>Summarise idle threads ahead</source>
        <translation>使っていないスレッドを先に要約</translation>
    </message>
    <message>
        <source>So that your next question does not wait.</source>
        <translation>次の質問を待たせないためです。</translation>
    </message>
    <message>
        <source>Never</source>
        <translation>しない</translation>
    </message>
    <message>
        <source>Every night at 3:00</source>
        <translation>毎晩3:00</translation>
    </message>
    <message>
        <source>Every day at 12:00</source>
        <translation>毎日12:00</translation>
    </message>
    <message>
        <source>Every Sunday at 3:00</source>
        <translation>毎週日曜3:00</translation>
    </message>
    <message>
        <source>Every hour</source>
        <translation>毎時</translation>
    </message>
    <message>
        <source>Titles of new threads</source>
        <translation>新しいスレッドのタイトル</translation>
    </message>
    <message>
        <source>Titles</source>
        <translation>タイトル</translation>
    </message>
    <message>
        <source>Written by the model</source>
        <translation>モデルが作成</translation>
    </message>
    <message>
        <source>The start of the question</source>
        <translation>質問の冒頭</translation>
    </message>
    <message>
        <source>Limit for titles and summaries</source>
        <translation>タイトルと要約の上限</translation>
    </message>
    <message>
        <source>tokens a day</source>
        <translation>トークン/日</translation>
    </message>
    <message>
        <source>No limit</source>
        <translation>上限なし</translation>
    </message>
    <message>
        <source>Ask before a summary costs more than</source>
        <translation>要約の費用がこれを超えるときに確認</translation>
    </message>
    <message>
        <source>US dollars</source>
        <translation>米ドル</translation>
    </message>
    <message>
        <source>Never ask</source>
        <translation>確認しない</translation>
    </message>
    <message>
        <source>Ask before a summary takes more than</source>
        <translation>要約の量がこれを超えるときに確認</translation>
    </message>
    <message>
        <source>tokens</source>
        <translation>トークン</translation>
    </message>
    <message>
        <source>it must be true or false</source>
        <translation>trueまたはfalseでなければなりません</translation>
    </message>
    <message>
        <source>it must be a number</source>
        <translation>数値でなければなりません</translation>
    </message>
    <message>
        <source>it must be text</source>
        <translation>テキストでなければなりません</translation>
    </message>
    <message>
        <source>it must be one of {choices}</source>
        <translation>{choices}のいずれかでなければなりません</translation>
    </message>
    <message>
        <source>it must be text without control characters</source>
        <translation>制御文字を含まないテキストでなければなりません</translation>
    </message>
    <message>
        <source>it must be one line</source>
        <translation>1行でなければなりません</translation>
    </message>
    <message>
        <source>it must be at least {minimum}</source>
        <translation>{minimum}以上でなければなりません</translation>
    </message>
    <message>
        <source>it must be at most {maximum}</source>
        <translation>{maximum}以下でなければなりません</translation>
    </message>
    <message>
        <source>it must be a whole number</source>
        <translation>整数でなければなりません</translation>
    </message>
    <message>
        <source>it must be a table of names and texts, such as {&quot;X-Team&quot; = &quot;blue&quot;}</source>
        <translation>{&quot;X-Team&quot; = &quot;blue&quot;}のような、名前とテキストの表でなければなりません</translation>
    </message>
    <message>
        <source>names and values must be text</source>
        <translation>名前と値はテキストでなければなりません</translation>
    </message>
    <message>
        <source>a name has letters, digits, dots and hyphens only</source>
        <translation>名前に使えるのは文字、数字、ドット、ハイフンだけです</translation>
    </message>
    <message>
        <source>a value must be one line</source>
        <translation>値は1行でなければなりません</translation>
    </message>
    <message>
        <source>each line must look like &apos;Name: value&apos;</source>
        <translation>各行は&apos;Name: value&apos;の形式でなければなりません</translation>
    </message>
    <message>
        <source>it must be a provider and a model, such as openai/gpt-5.4-mini</source>
        <translation>openai/gpt-5.4-miniのような、プロバイダーとモデルでなければなりません</translation>
    </message>
    <message>
        <source>it must begin with https:// or http:// and name a server</source>
        <translation>https://またはhttp://で始まり、サーバー名を含まなければなりません</translation>
    </message>
    <message>
        <source>it must not contain a password; use the keyring or OPENAI_API_KEY</source>
        <translation>パスワードを含めることはできません。キーリングかOPENAI_API_KEYを使ってください</translation>
    </message>
    <message>
        <source>The file of {subject} {path} is damaged; it is kept under another name when it is read next.</source>
        <translation>ファイル{path} ({subject}) は壊れています。次に読むときに別の名前で保管されます。</translation>
    </message>
    <message>
        <source>The file of {subject} {path} was written by a newer ChatDesk. What is known of it is used, and it is left as it is.</source>
        <translation>{subject}のファイル{path}は新しいバージョンのChatDeskで書き出されたものです。分かる部分だけを使い、ファイルはそのまま残します。</translation>
    </message>
    <message>
        <source>The file of {subject} {path} cannot be read ({strerror}).</source>
        <translation>{subject}のファイル{path}を読み込めません({strerror})。</translation>
    </message>
    <message>
        <source>The file of {subject} {path} is damaged and was left as it is.</source>
        <translation>{subject}のファイル{path}が破損しているため、そのまま残してあります。</translation>
    </message>
    <message>
        <source>The file of {subject} {path} is damaged; it is kept as {name}. Set the {subject} up again.</source>
        <translation>{subject}のファイル{path}が破損しているため、{name}として保管しました。{subject}を設定し直してください。</translation>
    </message>
    <message>
        <source>The passphrase does not open the file of keys.</source>
        <translation>このパスフレーズではキーファイルを開けません。</translation>
    </message>
    <message>
        <source>The keys are unchanged.</source>
        <translation>キーは変わっていません。</translation>
    </message>
    <message>
        <source>The file of keys cannot be read or written.</source>
        <translation>キーファイルを読み書きできません。</translation>
    </message>
    <message>
        <source>It was left as it is; keys hold until ChatDesk closes.</source>
        <translation>ファイルはそのまま残してあります。キーはChatDeskを閉じるまで有効です。</translation>
    </message>
    <message>
        <source>Type it again; capital letters count. Without it, the keys have to be entered again.</source>
        <translation>もう一度入力してください。大文字と小文字は区別されます。パスフレーズがない場合はキーを入力し直す必要があります。</translation>
    </message>
    <message>
        <source>Check the configuration directory, or delete the file keys.encrypted.json and enter the keys again.</source>
        <translation>設定ディレクトリを確認するか、ファイルkeys.encrypted.jsonを削除してキーを入力し直してください。</translation>
    </message>
    <message>
        <source>The file of keys has not been opened in this run.</source>
        <translation>キーファイルは今回の実行ではまだ開かれていません。</translation>
    </message>
    <message>
        <source>The keys in it are unchanged.</source>
        <translation>その中のキーは変わっていません。</translation>
    </message>
    <message>
        <source>Enter its passphrase in Settings, Providers.</source>
        <translation>「設定」の「プロバイダー」でパスフレーズを入力してください。</translation>
    </message>
    <message>
        <source>There is a file of keys already.</source>
        <translation>キーファイルはすでにあります。</translation>
    </message>
    <message>
        <source>Enter its passphrase.</source>
        <translation>パスフレーズを入力してください。</translation>
    </message>
    <message>
        <source>Straight rows of keys are easy to guess.</source>
        <translation>キーの並びは推測されやすくなります。</translation>
    </message>
    <message>
        <source>Short keyboard patterns are easy to guess.</source>
        <translation>短いキーボードのパターンは推測されやすくなります。</translation>
    </message>
    <message>
        <source>Repeats like &quot;aaa&quot; are easy to guess.</source>
        <translation>「aaa」のような繰り返しは推測されやすくなります。</translation>
    </message>
    <message>
        <source>Repeats like &quot;abcabcabc&quot; are only slightly harder to guess than &quot;abc&quot;.</source>
        <translation>「abcabcabc」のような繰り返しは「abc」とほとんど変わらず推測されます。</translation>
    </message>
    <message>
        <source>Sequences like &quot;abc&quot; or &quot;6543&quot; are easy to guess.</source>
        <translation>「abc」や「6543」のような連続は推測されやすくなります。</translation>
    </message>
    <message>
        <source>Recent years are easy to guess.</source>
        <translation>最近の年は推測されやすくなります。</translation>
    </message>
    <message>
        <source>Dates are often easy to guess.</source>
        <translation>日付は推測されやすいことがよくあります。</translation>
    </message>
    <message>
        <source>This is a top-10 common password.</source>
        <translation>最もよく使われる10のパスワードの一つです。</translation>
    </message>
    <message>
        <source>This is a top-100 common password.</source>
        <translation>最もよく使われる100のパスワードの一つです。</translation>
    </message>
    <message>
        <source>This is a very common password.</source>
        <translation>とてもよく使われるパスワードです。</translation>
    </message>
    <message>
        <source>This is similar to a commonly used password.</source>
        <translation>よく使われるパスワードに似ています。</translation>
    </message>
    <message>
        <source>A word by itself is easy to guess.</source>
        <translation>一つの単語だけでは推測されやすくなります。</translation>
    </message>
    <message>
        <source>Names and surnames by themselves are easy to guess.</source>
        <translation>名前や名字だけでは推測されやすくなります。</translation>
    </message>
    <message>
        <source>Common names and surnames are easy to guess.</source>
        <translation>よくある名前や名字は推測されやすくなります。</translation>
    </message>
    <message>
        <source>A new passphrase: four words or more</source>
        <translation>新しいパスフレーズ: 4語以上</translation>
    </message>
    <message>
        <source>This passphrase is easy to guess.</source>
        <translation>このパスフレーズは推測されやすいものです。</translation>
    </message>
    <message>
        <source>Four or five words that do not belong together are easy to remember and hard to guess.</source>
        <translation>関連のない4、5個の単語は、覚えやすく推測されにくくなります。</translation>
    </message>
    <message>
        <source>A passphrase of blanks guards nothing.</source>
        <translation>空白だけのパスフレーズでは何も守れません。</translation>
    </message>
    <message>
        <source>Any OpenAI-compatible address.</source>
        <translation>OpenAI互換の任意のアドレス。</translation>
    </message>
    <message>
        <source>Own server</source>
        <translation>独自のサーバー</translation>
    </message>
    <message>
        <source>Enter the name of your resource in the address. Models are your deployments.</source>
        <translation>アドレスにリソースの名前を入力してください。モデルは自分のデプロイです。</translation>
    </message>
    <message>
        <source>The providers could not be saved.</source>
        <translation>プロバイダーを保存できませんでした。</translation>
    </message>
    <message>
        <source>The old file is unchanged; the change applies until ChatDesk closes.</source>
        <translation>以前のファイルは変わっていません。変更はChatDeskを閉じるまで有効です。</translation>
    </message>
    <message>
        <source>Check the permissions and the free space of the configuration directory.</source>
        <translation>設定ディレクトリの権限と空き容量を確認してください。</translation>
    </message>
    <message>
        <source>providers</source>
        <translation>プロバイダー</translation>
    </message>
    <message>
        <source>The file of providers was written by a newer ChatDesk.</source>
        <translation>プロバイダーのファイルは新しいバージョンのChatDeskで書き込まれたものです。</translation>
    </message>
    <message>
        <source>Update ChatDesk to change it.</source>
        <translation>変更するにはChatDeskをアップデートしてください。</translation>
    </message>
    <message>
        <source>The file of providers {path} could not be written.</source>
        <translation>プロバイダーのファイル{path}を書き込めませんでした。</translation>
    </message>
    <message numerus="yes">
        <source>{count} providers were left out: its entry in providers.json cannot be used.</source>
        <comment>{count} provider was left out: its entry in providers.json cannot be used.</comment>
        <translation>
            <numerusform>{count}件のプロバイダーを省略しました。providers.jsonの項目を使えません。</numerusform>
        </translation>
    </message>
    <message>
        <source>New threads use</source>
        <translation>新しいスレッドで使うもの</translation>
    </message>
    <message>
        <source>Models</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>The first provider that is ready</source>
        <translation>準備のできた最初のプロバイダー</translation>
    </message>
    <message>
        <source>The offline demo</source>
        <translation>オフラインデモ</translation>
    </message>
    <message>
        <source>Address of OpenAI</source>
        <translation>OpenAIのアドレス</translation>
    </message>
    <message>
        <source>Model of new threads</source>
        <translation>新しいスレッドのモデル</translation>
    </message>
    <message>
        <source>The provider&apos;s own choice</source>
        <translation>プロバイダーの既定</translation>
    </message>
    <message>
        <source>Headers for OpenAI</source>
        <translation>OpenAIのヘッダー</translation>
    </message>
    <message>
        <source>Model for titles and summaries</source>
        <translation>タイトルと要約のモデル</translation>
    </message>
    <message>
        <source>The thread&apos;s own model</source>
        <translation>スレッドのモデル</translation>
    </message>
    <message>
        <source>Let models draw with their vendor&apos;s image tool</source>
        <translation>提供元の画像ツールでモデルに描かせる</translation>
    </message>
    <message>
        <source>Responses protocol only; no limit sees what drawing costs.</source>
        <translation>Responses プロトコルのみ。描画の費用は上限に含まれません。</translation>
    </message>
    <message>
        <source>Model for pictures</source>
        <translation>画像用のモデル</translation>
    </message>
    <message>
        <source>Offered where a model sees none.</source>
        <translation>画像を見られないモデルのときに提案されます。</translation>
    </message>
    <message>
        <source>None</source>
        <translation>なし</translation>
    </message>
    <message>
        <source>Longest answer</source>
        <translation>回答の最大長</translation>
    </message>
    <message>
        <source>The model&apos;s own limit</source>
        <translation>モデルの上限</translation>
    </message>
    <message>
        <source>Keep the start of a thread for</source>
        <translation>スレッドの冒頭を保持する時間</translation>
    </message>
    <message>
        <source>Makes follow-up questions to Claude cheaper.</source>
        <translation>Claudeへの続きの質問が安くなります。</translation>
    </message>
    <message>
        <source>5 minutes</source>
        <translation>5分</translation>
    </message>
    <message>
        <source>1 hour</source>
        <translation>1時間</translation>
    </message>
    <message>
        <source>Do not keep it</source>
        <translation>保持しない</translation>
    </message>
    <message>
        <source>Wait for a connection</source>
        <translation>接続を待つ時間</translation>
    </message>
    <message>
        <source>Slow servers</source>
        <translation>遅いサーバー</translation>
    </message>
    <message>
        <source>seconds</source>
        <translation>秒</translation>
    </message>
    <message>
        <source>Wait for an answer to begin</source>
        <translation>回答の開始を待つ時間</translation>
    </message>
    <message>
        <source>Servers on this computer and in the local network get ten times as long.</source>
        <translation>このコンピューターとローカルネットワークのサーバーは10倍の時間待ちます。</translation>
    </message>
    <message>
        <source>Wait when an answer pauses</source>
        <translation>回答が途切れたときに待つ時間</translation>
    </message>
    <message>
        <source>When you are offline</source>
        <translation>オフラインのとき</translation>
    </message>
    <message>
        <source>Wait until you try again</source>
        <translation>再試行するまで待つ</translation>
    </message>
    <message>
        <source>Send once you are online</source>
        <translation>オンラインになったら送信</translation>
    </message>
    <message>
        <source>When you close the window during an answer</source>
        <translation>回答中にウィンドウを閉じたとき</translation>
    </message>
    <message>
        <source>Stop, and continue it later</source>
        <translation>停止して後で続行</translation>
    </message>
    <message>
        <source>Finish it first</source>
        <translation>先に完了させる</translation>
    </message>
    <message>
        <source>Speed of the offline demo</source>
        <translation>オフラインデモの速度</translation>
    </message>
    <message>
        <source>tokens/s</source>
        <translation>トークン/秒</translation>
    </message>
    <message>
        <source>Instructions for all threads</source>
        <translation>すべてのスレッドへの指示</translation>
    </message>
    <message>
        <source>A project or thread with its own instructions uses those instead.</source>
        <translation>独自の指示があるプロジェクトやスレッドでは、そちらが使われます。</translation>
    </message>
    <message>
        <source>Writing</source>
        <translation>文章</translation>
    </message>
    <message>
        <source>For example: answer briefly, in British English.</source>
        <translation>例: 簡潔に、です・ます調で答えてください。</translation>
    </message>
    <message>
        <source>custom instructions system prompt personality</source>
        <translation>カスタム指示 システムプロンプト 性格</translation>
    </message>
    <message>
        <source>Send at most</source>
        <translation>送信の上限</translation>
    </message>
    <message>
        <source>For example 20/min or 200/day. Further messages wait their turn.</source>
        <translation>例: 20/minまたは200/day。それ以上のメッセージは順番を待ちます。</translation>
    </message>
    <message>
        <source>rate</source>
        <translation>レート 頻度</translation>
    </message>
    <message>
        <source>Send at most, by provider and project</source>
        <translation>プロバイダーとプロジェクトごとの送信の上限</translation>
    </message>
    <message>
        <source>Longest message</source>
        <translation>メッセージの最大長</translation>
    </message>
    <message>
        <source>Largest attached file</source>
        <translation>添付ファイルの最大サイズ</translation>
    </message>
    <message>
        <source>Most files in a message</source>
        <translation>メッセージあたりの最大ファイル数</translation>
    </message>
    <message>
        <source>files</source>
        <translation>個</translation>
    </message>
    <message>
        <source>Largest size of all files in a message</source>
        <translation>メッセージあたりのファイルの合計サイズの上限</translation>
    </message>
    <message>
        <source>Largest size of all files in a day</source>
        <translation>1日あたりのファイルの合計サイズの上限</translation>
    </message>
    <message>
        <source>Kinds of files kept out</source>
        <translation>受け付けないファイルの種類</translation>
    </message>
    <message>
        <source>Such as video/*, application/zip.</source>
        <translation>例: video/*, application/zip。</translation>
    </message>
    <message>
        <source>Empty the trash after</source>
        <translation>ゴミ箱を空にするまで</translation>
    </message>
    <message>
        <source>Trash and archive</source>
        <translation>ゴミ箱とアーカイブ</translation>
    </message>
    <message>
        <source>days</source>
        <translation>日</translation>
    </message>
    <message>
        <source>deleted retention</source>
        <translation>削除 保管期間</translation>
    </message>
    <message>
        <source>Move archived threads to the trash after</source>
        <translation>アーカイブしたスレッドをゴミ箱に移すまで</translation>
    </message>
    <message>
        <source>Keep a backup of each day for</source>
        <translation>毎日のバックアップを保管する期間</translation>
    </message>
    <message>
        <source>Backups</source>
        <translation>バックアップ</translation>
    </message>
    <message>
        <source>Before that, one of each week for</source>
        <translation>それ以前は毎週のバックアップを保管する期間</translation>
    </message>
    <message>
        <source>weeks</source>
        <translation>週</translation>
    </message>
    <message>
        <source>Notify about others&apos; messages</source>
        <translation>ほかの人のメッセージを通知</translation>
    </message>
    <message>
        <source>Only while the window is not in front.</source>
        <translation>ウィンドウが手前にないときだけ。</translation>
    </message>
    <message>
        <source>With name and thread</source>
        <translation>名前とスレッド</translation>
    </message>
    <message>
        <source>With name, thread and text</source>
        <translation>名前、スレッド、本文</translation>
    </message>
    <message>
        <source>Detail of the log file</source>
        <translation>ログファイルの詳しさ</translation>
    </message>
    <message>
        <source>From the next start on.</source>
        <translation>次回の起動から。</translation>
    </message>
    <message>
        <source>Log</source>
        <translation>ログ</translation>
    </message>
    <message>
        <source>Everything</source>
        <translation>すべて</translation>
    </message>
    <message>
        <source>Normal</source>
        <translation>標準</translation>
    </message>
    <message>
        <source>Warnings and failures</source>
        <translation>警告と失敗</translation>
    </message>
    <message>
        <source>Failures only</source>
        <translation>失敗のみ</translation>
    </message>
    <message>
        <source>Virus scanner (clamd)</source>
        <translation>ウイルススキャナー(clamd)</translation>
    </message>
    <message>
        <source>Its socket, such as /run/clamav/clamd.ctl, or host:port.</source>
        <translation>/run/clamav/clamd.ctlのようなソケット、またはhost:port。</translation>
    </message>
    <message>
        <source>Attached files</source>
        <translation>添付ファイル</translation>
    </message>
    <message>
        <source>When the scanner does not answer</source>
        <translation>スキャナーが応答しないとき</translation>
    </message>
    <message>
        <source>Keep files out</source>
        <translation>ファイルを受け付けない</translation>
    </message>
    <message>
        <source>Let files in</source>
        <translation>ファイルを受け付ける</translation>
    </message>
    <message>
        <source>The key could not be put into the system&apos;s keyring.</source>
        <translation>キーをシステムのキーリングに保存できませんでした。</translation>
    </message>
    <message>
        <source>It is used until ChatDesk closes and was not written to any file.</source>
        <translation>ChatDeskを閉じるまで使われ、どのファイルにも書き込まれていません。</translation>
    </message>
    <message>
        <source>Unlock or install a keyring, or choose the encrypted file in Settings, Providers.</source>
        <translation>キーリングのロックを解除するかインストールするか、「設定」の「プロバイダー」で暗号化ファイルを選んでください。</translation>
    </message>
    <message>
        <source>The keyring did not answer; it may be locked or waiting for a password.</source>
        <translation>キーリングが応答しませんでした。ロックされているか、パスワードを待っている可能性があります。</translation>
    </message>
    <message>
        <source>no answer within {timeout_s} s</source>
        <translation>{timeout_s}秒以内に応答なし</translation>
    </message>
    <message>
        <source>There is no keyring on this system.</source>
        <translation>このシステムにはキーリングがありません。</translation>
    </message>
    <message>
        <source>The keyring is locked.</source>
        <translation>キーリングがロックされています。</translation>
    </message>
    <message>
        <source>The keyring failed ({name}).</source>
        <translation>キーリングが失敗しました({name})。</translation>
    </message>
    <message>
        <source>Let other programs use ChatDesk</source>
        <translation>ほかのプログラムにChatDeskの使用を許可</translation>
    </message>
    <message>
        <source>Port</source>
        <translation>ポート</translation>
    </message>
    <message>
        <source>The window and chatdesk serve listen on it.</source>
        <translation>ウィンドウとchatdesk serveがここで待ち受けます。</translation>
    </message>
    <message>
        <source>on this computer</source>
        <translation>このコンピューター</translation>
    </message>
    <message>
        <source>Any that is free</source>
        <translation>空いているポート</translation>
    </message>
    <message>
        <source>api http rest</source>
        <translation>api http rest</translation>
    </message>
    <message>
        <source>Also listen on</source>
        <translation>次でも待ち受け</translation>
    </message>
    <message>
        <source>For example 192.168.1.5:8443. Needs a certificate.</source>
        <translation>例: 192.168.1.5:8443。証明書が必要です。</translation>
    </message>
    <message>
        <source>Nothing</source>
        <translation>なし</translation>
    </message>
    <message>
        <source>Certificate</source>
        <translation>証明書</translation>
    </message>
    <message>
        <source>A PEM file.</source>
        <translation>PEMファイル。</translation>
    </message>
    <message>
        <source>Key of the certificate</source>
        <translation>証明書のキー</translation>
    </message>
    <message>
        <source>A PEM file without a passphrase.</source>
        <translation>パスフレーズなしのPEMファイル。</translation>
    </message>
    <message>
        <source>Let web pages of these origins ask</source>
        <translation>これらのオリジンのWebページからの質問を許可</translation>
    </message>
    <message>
        <source>For example https://tool.example. Each page still needs a token.</source>
        <translation>例: https://tool.example。各ページにはさらにトークンが必要です。</translation>
    </message>
    <message>
        <source>cors origin browser website</source>
        <translation>cors オリジン ブラウザー Webサイト</translation>
    </message>
    <message>
        <source>The settings could not be saved.</source>
        <translation>設定を保存できませんでした。</translation>
    </message>
    <message>
        <source>The old settings file is unchanged; the new settings hold until ChatDesk closes.</source>
        <translation>以前の設定ファイルは変わっていません。新しい設定はChatDeskを閉じるまで有効です。</translation>
    </message>
    <message>
        <source>{key} in the settings file</source>
        <translation>設定ファイルの{key}</translation>
    </message>
    <message>
        <source>{key} cannot be set: {error}.</source>
        <translation>{key}を設定できません: {error}。</translation>
    </message>
    <message>
        <source>The settings file {path} could not be written.</source>
        <translation>設定ファイル{path}を書き込めませんでした。</translation>
    </message>
    <message>
        <source>The settings file {path} cannot be read ({strerror}). Defaults are used; the file is unchanged.</source>
        <translation>設定ファイル{path}を読み込めません({strerror})。既定値を使います。ファイルは変わっていません。</translation>
    </message>
    <message>
        <source>The settings file {path} is empty. Defaults are used; delete it if that is meant.</source>
        <translation>設定ファイル{path}が空です。既定値を使います。意図したものなら削除してください。</translation>
    </message>
    <message>
        <source>kept as {name}</source>
        <translation>{name}として保管</translation>
    </message>
    <message>
        <source>left as it is</source>
        <translation>そのまま残してあります</translation>
    </message>
    <message>
        <source>The settings file {path} is damaged. Defaults are used; the damaged file is {where}.</source>
        <translation>設定ファイル{path}が破損しています。既定値を使います。破損したファイル: {where}。</translation>
    </message>
    <message>
        <source>Steps of an answer</source>
        <translation>1回の回答のステップ数</translation>
    </message>
    <message>
        <source>Limits</source>
        <translation>上限</translation>
    </message>
    <message>
        <source>requests to the model</source>
        <translation>モデルへのリクエスト</translation>
    </message>
    <message>
        <source>Time for an answer</source>
        <translation>1回の回答の時間</translation>
    </message>
    <message>
        <source>minutes</source>
        <translation>分</translation>
    </message>
    <message>
        <source>Time for a call</source>
        <translation>1回の呼び出しの時間</translation>
    </message>
    <message>
        <source>Time for a server to start</source>
        <translation>サーバーの起動を待つ時間</translation>
    </message>
    <message>
        <source>Cost of an answer</source>
        <translation>1回の回答の費用</translation>
    </message>
    <message>
        <source>No limit of its own</source>
        <translation>個別の上限なし</translation>
    </message>
    <message>
        <source>Theme</source>
        <translation>テーマ</translation>
    </message>
    <message>
        <source>Look</source>
        <translation>外観</translation>
    </message>
    <message>
        <source>colours colors dark mode appearance</source>
        <translation>色 カラー ダークモード 外観</translation>
    </message>
    <message>
        <source>Same as the system</source>
        <translation>システムと同じ</translation>
    </message>
    <message>
        <source>Light</source>
        <translation>ライト</translation>
    </message>
    <message>
        <source>Dark</source>
        <translation>ダーク</translation>
    </message>
    <message>
        <source>Light, high contrast</source>
        <translation>ライト、ハイコントラスト</translation>
    </message>
    <message>
        <source>Dark, high contrast</source>
        <translation>ダーク、ハイコントラスト</translation>
    </message>
    <message>
        <source>tour, help</source>
        <translation>ツアー, 案内, ヘルプ, 何ができ</translation>
    </message>
    <message numerus="yes">
        <source>With your message I got these {count} files:</source>
        <comment>With your message I got this:</comment>
        <translation>
            <numerusform>メッセージと一緒に次の{count}件のファイルを受け取りました:</numerusform>
        </translation>
    </message>
    <message>
        <source>{name}, an image of {size} pixels</source>
        <translation>{name}、{size}ピクセルの画像</translation>
    </message>
    <message>
        <source>{name}, a file of {bytes} bytes ({kind}), of which the beginning and the end fit</source>
        <translation>{name}、{bytes}バイトのファイル（{kind}）、先頭と末尾だけが収まります</translation>
    </message>
    <message>
        <source>{name}, a file of {bytes} bytes ({kind})</source>
        <translation>{name}、{bytes}バイトのファイル（{kind}）</translation>
    </message>
    <message>
        <source>You wrote nothing.</source>
        <translation>何も書かれていません。</translation>
    </message>
    <message>
        <source>You wrote: {question}</source>
        <translation>入力: {question}</translation>
    </message>
    <message>
        <source>A small function, and how to call it:</source>
        <translation>小さな関数と、その呼び出し方:</translation>
    </message>
    <message>
        <source>The `dict` keeps the order in which words were first seen.</source>
        <translation>`dict` は単語が最初に現れた順序を保ちます。</translation>
    </message>
    <message>
        <source>in the application</source>
        <translation>アプリケーション内</translation>
    </message>
    <message>
        <source>on a server</source>
        <translation>サーバー上</translation>
    </message>
    <message>
        <source>Runs</source>
        <translation>動作場所</translation>
    </message>
    <message>
        <source>Good for</source>
        <translation>向いている用途</translation>
    </message>
    <message>
        <source>First release</source>
        <translation>最初のリリース</translation>
    </message>
    <message>
        <source>one computer, one file</source>
        <translation>1台のコンピューター、1つのファイル</translation>
    </message>
    <message>
        <source>many people at once</source>
        <translation>同時に多くの人</translation>
    </message>
    <message>
        <source>analysing large tables</source>
        <translation>大きな表の分析</translation>
    </message>
    <message>
        <source>**Say what you want.** One sentence is enough.</source>
        <translation>**やりたいことを伝える。** 一文で十分です。</translation>
    </message>
    <message>
        <source>**Collect what you have.**</source>
        <translation>**手元にあるものを集める。**</translation>
    </message>
    <message>
        <source>notes</source>
        <translation>メモ</translation>
    </message>
    <message>
        <source>examples</source>
        <translation>例</translation>
    </message>
    <message>
        <source>open questions</source>
        <translation>未解決の疑問</translation>
    </message>
    <message>
        <source>**Try the smallest thing that could work**, then look at it again.</source>
        <translation>**うまくいきそうな一番小さなものを試し**、もう一度見直す。</translation>
    </message>
    <message>
        <source>question asked</source>
        <translation>質問した</translation>
    </message>
    <message>
        <source>answer checked</source>
        <translation>回答を確認した</translation>
    </message>
    <message>
        <source>Steps</source>
        <translation>手順</translation>
    </message>
    <message>
        <source>With {first} and {second}, the two roots of {equation} are $a$ and $b$ themselves:</source>
        <translation>{first}、{second}のとき、{equation}の2つの解は $a$ と $b$ そのものです:</translation>
    </message>
    <message>
        <source>Mathematics</source>
        <translation>数学</translation>
    </message>
    <message>
        <source>The sum of the first $n$ whole numbers is {total}.</source>
        <translation>最初の $n$ 個の整数の和は{total}です。</translation>
    </message>
    <message>
        <source>Language</source>
        <translation>言語</translation>
    </message>
    <message>
        <source>Hello</source>
        <translation>こんにちは</translation>
    </message>
    <message>
        <source>Thank you</source>
        <translation>ありがとう</translation>
    </message>
    <message>
        <source>Translation</source>
        <translation>翻訳</translation>
    </message>
    <message>
        <source>A real model would translate your own sentence.</source>
        <translation>本物のモデルなら、あなたの文を翻訳します。</translation>
    </message>
    <message>
        <source>An explanation comes with **bold** and *italic* words, with [links](https://example.org) and with quotations:</source>
        <translation>説明には**太字**や*斜体*、[リンク](https://example.org)、引用を使えます:</translation>
    </message>
    <message>
        <source>A good explanation is one that lets you predict what happens next.</source>
        <translation>よい説明があれば、次に何が起こるかを予測できます。</translation>
    </message>
    <message>
        <source>**What it is for** comes first.</source>
        <translation>**何のためのものか**を最初に。</translation>
    </message>
    <message>
        <source>**How it works** follows, part by part.</source>
        <translation>**どう動くか**を順を追って。</translation>
    </message>
    <message>
        <source>**Where it ends** closes it.</source>
        <translation>**どこまでか**で締めくくります。</translation>
    </message>
    <message>
        <source>Explanation</source>
        <translation>説明</translation>
    </message>
    <message>
        <source>Your message has **{words} words** and {characters} characters.</source>
        <translation>メッセージは**{words}語**、{characters}文字です。</translation>
    </message>
    <message>
        <source>In short</source>
        <translation>要約</translation>
    </message>
    <message>
        <source>hello, good morning</source>
        <translation>こんにちは, おはよう, こんばんは, やあ</translation>
    </message>
    <message>
        <source>code, function, program</source>
        <translation>コード, 関数, プログラム, スクリプト</translation>
    </message>
    <message>
        <source>table, compare</source>
        <translation>表, テーブル, 比較</translation>
    </message>
    <message>
        <source>list, steps, plan, ideas</source>
        <translation>リスト, 手順, 計画, アイデア</translation>
    </message>
    <message>
        <source>mathematics, formula, calculate</source>
        <translation>数学, 数式, 方程式, 計算</translation>
    </message>
    <message>
        <source>translate, translation</source>
        <translation>翻訳</translation>
    </message>
    <message>
        <source>explain, why, what is</source>
        <translation>説明, なぜ, とは</translation>
    </message>
    <message>
        <source>summary, summarise</source>
        <translation>要約, まとめ</translation>
    </message>
    <message>
        <source>Changes when ChatDesk starts again.</source>
        <translation>ChatDeskの再起動後に変わります。</translation>
    </message>
    <message>
        <source>translation locale</source>
        <translation>翻訳 ロケール</translation>
    </message>
    <message>
        <source>Text size</source>
        <translation>文字サイズ</translation>
    </message>
    <message>
        <source>font zoom</source>
        <translation>フォント 拡大</translation>
    </message>
    <message>
        <source>Room for fingers</source>
        <translation>指で操作しやすい余白</translation>
    </message>
    <message>
        <source>touch screen targets size density</source>
        <translation>タッチ 画面 大きさ 密度</translation>
    </message>
    <message>
        <source>When the screen is touched</source>
        <translation>画面に触れたとき</translation>
    </message>
    <message>
        <source>Always</source>
        <translation>常に</translation>
    </message>
    <message>
        <source>Animations</source>
        <translation>アニメーション</translation>
    </message>
    <message>
        <source>movement</source>
        <translation>動き</translation>
    </message>
    <message>
        <source>On</source>
        <translation>オン</translation>
    </message>
    <message>
        <source>Off</source>
        <translation>オフ</translation>
    </message>
    <message>
        <source>Screen reader reads answers</source>
        <translation>スクリーンリーダーで回答を読み上げ</translation>
    </message>
    <message>
        <source>Their start and end are always announced.</source>
        <translation>開始と終了は常に通知されます。</translation>
    </message>
    <message>
        <source>speech voice</source>
        <translation>音声 読み上げ</translation>
    </message>
    <message>
        <source>No</source>
        <translation>いいえ</translation>
    </message>
    <message>
        <source>When they are complete</source>
        <translation>完了したとき</translation>
    </message>
    <message>
        <source>Sentence by sentence</source>
        <translation>1文ごと</translation>
    </message>
    <message>
        <source>Send with</source>
        <translation>送信キー</translation>
    </message>
    <message>
        <source>Shift+Enter always adds a line.</source>
        <translation>Shift+Enterでは常に改行します。</translation>
    </message>
    <message>
        <source>return key newline</source>
        <translation>リターン キー 改行</translation>
    </message>
    <message>
        <source>Keyboard shortcuts</source>
        <translation>キーボードショートカット</translation>
    </message>
    <message>
        <source>Press Ctrl+/ to see them at any time.</source>
        <translation>Ctrl+/でいつでも確認できます。</translation>
    </message>
    <message>
        <source>Show your messages</source>
        <translation>自分のメッセージの表示</translation>
    </message>
    <message>
        <source>markdown</source>
        <translation>markdown</translation>
    </message>
    <message>
        <source>With formatting</source>
        <translation>書式付き</translation>
    </message>
    <message>
        <source>Exactly as typed</source>
        <translation>入力どおり</translation>
    </message>
    <message>
        <source>Notify when an answer is ready</source>
        <translation>回答ができたら通知</translation>
    </message>
    <message>
        <source>While you work in another window.</source>
        <translation>別のウィンドウで作業しているとき。</translation>
    </message>
    <message>
        <source>Desktop</source>
        <translation>デスクトップ</translation>
    </message>
    <message>
        <source>If it took 10 seconds</source>
        <translation>10秒以上かかった場合</translation>
    </message>
    <message>
        <source>Icon in the tray</source>
        <translation>トレイのアイコン</translation>
    </message>
    <message>
        <source>system tray status close minimise background</source>
        <translation>システムトレイ 状態 閉じる 最小化 バックグラウンド</translation>
    </message>
    <message>
        <source>Show</source>
        <translation>表示</translation>
    </message>
    <message>
        <source>Show, and keep running in it</source>
        <translation>表示し、トレイで実行を続ける</translation>
    </message>
    <message>
        <source>Start when you log in</source>
        <translation>ログイン時に起動</translation>
    </message>
    <message>
        <source>autostart boot</source>
        <translation>自動起動 ブート</translation>
    </message>
    <message>
        <source>When you delete a message</source>
        <translation>メッセージを削除するとき</translation>
    </message>
    <message>
        <source>Ask about later ones</source>
        <translation>以降のものについて確認</translation>
    </message>
    <message>
        <source>Delete only that one</source>
        <translation>そのメッセージだけ削除</translation>
    </message>
    <message>
        <source>Delete later ones too</source>
        <translation>以降のものも削除</translation>
    </message>
    <message>
        <source>Look for a new version once a day</source>
        <translation>1日1回、新しいバージョンを確認する</translation>
    </message>
    <message>
        <source>The portable program only; “Updates…” says how yours is updated.</source>
        <translation>ポータブル版のみです。「アップデート…」で、お使いのものの更新方法がわかります。</translation>
    </message>
    <message>
        <source>Updates</source>
        <translation>アップデート</translation>
    </message>
    <message>
        <source>update upgrade release</source>
        <translation>更新 アップデート 新しいバージョン</translation>
    </message>
    <message>
        <source>A page is either around a message, or before or after one.</source>
        <translation>ページは、あるメッセージの周辺か、前か後のいずれかです。</translation>
    </message>
    <message>
        <source>Only your own messages can be edited.</source>
        <translation>編集できるのは自分のメッセージだけです。</translation>
    </message>
    <message>
        <source>Only an answer can get a version of this kind.</source>
        <translation>この種類のバージョンを作れるのは回答だけです。</translation>
    </message>
    <message>
        <source>Only an answer that stopped before its end can be continued.</source>
        <translation>続行できるのは、途中で止まった回答だけです。</translation>
    </message>
    <message>
        <source>Personal</source>
        <translation>個人用</translation>
    </message>
    <message>
        <source>This project is in the trash.</source>
        <translation>このプロジェクトはゴミ箱にあります。</translation>
    </message>
    <message>
        <source>This is the last project, and new threads need one.</source>
        <translation>これは最後のプロジェクトで、新しいスレッドにはプロジェクトが必要です。</translation>
    </message>
    <message>
        <source>Make another one first.</source>
        <translation>先に別のものを作成してください。</translation>
    </message>
    <message>
        <source>A project needs a name.</source>
        <translation>プロジェクトには名前が必要です。</translation>
    </message>
    <message>
        <source>A project&apos;s name has at most {longest_name} characters.</source>
        <translation>プロジェクトの名前は最大{longest_name}文字です。</translation>
    </message>
    <message>
        <source>Choose a shorter one.</source>
        <translation>もっと短いものを選んでください。</translation>
    </message>
    <message>
        <source>This answer is not waiting to be started.</source>
        <translation>この回答は開始待ちではありません。</translation>
    </message>
    <message>
        <source>This answer has ended; nothing can be added to it.</source>
        <translation>この回答は終わっているため、何も追加できません。</translation>
    </message>
    <message>
        <source>A turn cannot end in a state that is not final.</source>
        <translation>最終でない状態で終えることはできません。</translation>
    </message>
    <message>
        <source>This answer has ended already.</source>
        <translation>この回答はすでに終わっています。</translation>
    </message>
    <message>
        <source>There is a tag “{key}” already.</source>
        <translation>タグ「{key}」はすでにあります。</translation>
    </message>
    <message>
        <source>Choose another name.</source>
        <translation>別の名前を選んでください。</translation>
    </message>
    <message>
        <source>A tag needs a name.</source>
        <translation>タグには名前が必要です。</translation>
    </message>
    <message>
        <source>A tag&apos;s name has at most {longest_name} characters.</source>
        <translation>タグの名前は最大{longest_name}文字です。</translation>
    </message>
    <message>
        <source>There is no tag with that id.</source>
        <translation>そのidのタグはありません。</translation>
    </message>
    <message>
        <source>There is another tag “{name}” now.</source>
        <translation>別のタグ「{name}」ができています。</translation>
    </message>
    <message>
        <source>Rename that one and try again.</source>
        <translation>その名前を変更して、もう一度試してください。</translation>
    </message>
    <message>
        <source>That is not a place in the list.</source>
        <translation>一覧の中にその位置はありません。</translation>
    </message>
    <message>
        <source>Start from the first page.</source>
        <translation>最初のページから始めてください。</translation>
    </message>
    <message>
        <source>The text of this message was removed for good after its time in the trash.</source>
        <translation>このメッセージの本文は、ゴミ箱での保管期間が過ぎたため完全に削除されました。</translation>
    </message>
    <message>
        <source>{thread_ids} of {thread_ids_2} threads are not, or no longer, in the trash.</source>
        <translation>{thread_ids_2}件のスレッドのうち{thread_ids}件はゴミ箱に(もう)ありません。</translation>
    </message>
    <message>
        <source>Select those that are and try again.</source>
        <translation>ゴミ箱にあるものを選んで、もう一度試してください。</translation>
    </message>
    <message>
        <source>The backup that was just made is damaged, so it was not kept.</source>
        <translation>作成したばかりのバックアップが破損していたため、保存しませんでした。</translation>
    </message>
    <message>
        <source>The backup that was just made is not complete, so it was not kept.</source>
        <translation>作成したばかりのバックアップが不完全なため、保存しませんでした。</translation>
    </message>
    <message>
        <source>The database is not open.</source>
        <translation>データベースが開かれていません。</translation>
    </message>
    <message>
        <source>The database is closed.</source>
        <translation>データベースは閉じられています。</translation>
    </message>
    <message>
        <source>ChatDesk is reading this database while another program writes to it.</source>
        <translation>別のプログラムが書き込んでいる間、ChatDeskはこのデータベースを読み取っています。</translation>
    </message>
    <message>
        <source>The database {path} could not be used.</source>
        <translation>データベース{path}を使えませんでした。</translation>
    </message>
    <message>
        <source>Another program is using the database {path}.</source>
        <translation>別のプログラムがデータベース{path}を使用しています。</translation>
    </message>
    <message>
        <source>The database {path} cannot be written to.</source>
        <translation>データベース{path}に書き込めません。</translation>
    </message>
    <message>
        <source>The database file {path} is damaged.</source>
        <translation>データベースファイル{path}が破損しています。</translation>
    </message>
    <message>
        <source>The disk of {folder} is full, so this could not be saved.</source>
        <translation>{folder}のディスクがいっぱいのため、保存できませんでした。</translation>
    </message>
    <message>
        <source>The disk reported an error while {file} was used.</source>
        <translation>{file}の使用中にディスクがエラーを報告しました。</translation>
    </message>
    <message>
        <source>the database</source>
        <translation>データベース</translation>
    </message>
    <message>
        <source>What was saved before is unchanged; what was not confirmed counts as not saved.</source>
        <translation>以前に保存されたものはそのままです。確認されなかったものは未保存として扱われます。</translation>
    </message>
    <message>
        <source>Check the disk and its free space, then try again.</source>
        <translation>ディスクと空き容量を確認して、もう一度試してください。</translation>
    </message>
    <message>
        <source>Change its owner or permissions, or choose another data directory.</source>
        <translation>所有者または権限を変更するか、別のデータディレクトリを選んでください。</translation>
    </message>
    <message>
        <source>{path} is a directory, not a database file.</source>
        <translation>{path}はデータベースファイルではなくディレクトリです。</translation>
    </message>
    <message>
        <source>Choose another data directory.</source>
        <translation>別のデータディレクトリを選んでください。</translation>
    </message>
    <message>
        <source>{path} is not a file, so it is no database.</source>
        <translation>{path}はファイルではないため、データベースではありません。</translation>
    </message>
    <message>
        <source>The directory {parent} does not exist.</source>
        <translation>ディレクトリ{parent}は存在しません。</translation>
    </message>
    <message>
        <source>Create it or choose another one.</source>
        <translation>作成するか、別のものを選んでください。</translation>
    </message>
    <message>
        <source>The database file {path} may not be opened by this user.</source>
        <translation>このユーザーはデータベースファイル{path}を開けません。</translation>
    </message>
    <message>
        <source>The directory {parent} may not be read by this user.</source>
        <translation>このユーザーはディレクトリ{parent}を読めません。</translation>
    </message>
    <message>
        <source>No database can be created in {parent}.</source>
        <translation>{parent}にデータベースを作成できません。</translation>
    </message>
    <message>
        <source>The database file {path} cannot be opened.</source>
        <translation>データベースファイル{path}を開けません。</translation>
    </message>
    <message>
        <source>the last changes</source>
        <translation>最後の変更</translation>
    </message>
    <message>
        <source>The database is older than it was when ChatDesk last saved: {lost} may be missing. This happens when a backup was restored, or when a file was lost. Nothing else was changed. Look for a newer backup in the backup directory if you did not restore one yourself.</source>
        <translation>データベースが、ChatDeskが最後に保存したときより古くなっています。{lost}が失われている可能性があります。バックアップを復元したとき、またはファイルが失われたときに起こります。ほかは何も変更されていません。自分で復元したのでなければ、バックアップディレクトリでより新しいバックアップを探してください。</translation>
    </message>
    <message>
        <source>This data belongs to a newer ChatDesk (schema {revision}, here {head_revision}), so this one can only read it.</source>
        <translation>このデータはより新しいChatDesk(スキーマ{revision}、こちらは{head_revision})のものなので、読み取りしかできません。</translation>
    </message>
    <message>
        <source>You can read, search, copy and export your threads; nothing is changed.</source>
        <translation>スレッドの閲覧、検索、コピー、エクスポートはできます。何も変更されません。</translation>
    </message>
    <message>
        <source>Update ChatDesk to continue writing, or restore the backup from before the upgrade (Help, Upgrades and the way back).</source>
        <translation>書き続けるにはChatDeskをアップデートするか、アップグレード前のバックアップを復元してください(「ヘルプ」の「Upgrades and the way back」)。</translation>
    </message>
    <message>
        <source>This database has schema version {revision}; this ChatDesk knows versions up to {head_revision}, and cannot read it: “{lacking}” is not there as it knows it.</source>
        <translation>このデータベースのスキーマバージョンは{revision}です。このChatDeskが対応するのは{head_revision}までで、読み取れません。「{lacking}」が想定どおりに存在しません。</translation>
    </message>
    <message>
        <source>This request was carried out before, and its result is no longer known.</source>
        <translation>このリクエストはすでに実行されており、その結果はもうわかりません。</translation>
    </message>
    <message>
        <source>This was done before.</source>
        <translation>これは以前に行われています。</translation>
    </message>
    <message>
        <source>Nothing was done twice.</source>
        <translation>二重には行われていません。</translation>
    </message>
    <message>
        <source>This was changed by somebody else in the meantime.</source>
        <translation>その間にほかの人がこれを変更しました。</translation>
    </message>
    <message>
        <source>Look at the current state, then make your change again.</source>
        <translation>現在の状態を確認してから、もう一度変更してください。</translation>
    </message>
    <message>
        <source>The database contains something that ChatDesk did not put there: {first}{more}.</source>
        <translation>データベースに、ChatDeskが入れたものではない内容があります: {first}{more}。</translation>
    </message>
    <message>
        <source>None of it was used, and the file was left as it is.</source>
        <translation>何も使われず、ファイルはそのままです。</translation>
    </message>
    <message>
        <source>Run &apos;chatdesk doctor --repair&apos;: it copies your messages into a new database and keeps this one.</source>
        <translation>&apos;chatdesk doctor --repair&apos;を実行してください。メッセージを新しいデータベースにコピーし、今のものも保管します。</translation>
    </message>
    <message>
        <source>The file is a database, but not one of ChatDesk&apos;s.</source>
        <translation>ファイルはデータベースですが、ChatDeskのものではありません。</translation>
    </message>
    <message>
        <source>The database does not say which version its schema has, so it is damaged.</source>
        <translation>データベースがスキーマのバージョンを示していないため、壊れています。</translation>
    </message>
    <message>
        <source>This database has schema version {revision}, from before the first release.</source>
        <translation>このデータベースのスキーマのバージョンは {revision} で、最初のリリースより前のものです。</translation>
    </message>
    <message>
        <source>This database has schema version {revision}; this ChatDesk knows versions up to {head_revision}.</source>
        <translation>このデータベースのスキーマバージョンは{revision}です。このChatDeskが対応するのは{head_revision}までです。</translation>
    </message>
    <message>
        <source>The database could not be upgraded from schema version {revision} to {head_revision}.</source>
        <translation>データベースをスキーマバージョン{revision}から{head_revision}へアップグレードできませんでした。</translation>
    </message>
    <message>
        <source>It was left as it was and can be read; a verified backup is at {saved}.</source>
        <translation>元のままで、読むことができます。検証済みのバックアップは{saved}にあります。</translation>
    </message>
    <message>
        <source>The database file is damaged, so it was not upgraded.</source>
        <translation>データベースファイルが破損しているため、アップグレードしませんでした。</translation>
    </message>
    <message>
        <source>The database must be upgraded, which needs {needed} MB of free space; there are {free} MB.</source>
        <translation>データベースのアップグレードには{needed} MBの空き容量が必要ですが、{free} MBしかありません。</translation>
    </message>
    <message>
        <source>The database was not touched.</source>
        <translation>データベースに変更は加えていません。</translation>
    </message>
    <message>
        <source>Free some space; ChatDesk then continues by itself.</source>
        <translation>空き容量を増やしてください。その後ChatDeskは自動的に続行します。</translation>
    </message>
    <message>
        <source>The upgrade would have left rows that point to nothing, so it was undone.</source>
        <translation>アップグレードすると参照先のない行が残るため、取り消しました。</translation>
    </message>
    <message>
        <source>The upgrade would have changed the number of rows in {changed}; it was undone.</source>
        <translation>アップグレードによって{changed}の行数が変わるため、元に戻しました。</translation>
    </message>
    <message numerus="yes">
        <source>delete {count} threads</source>
        <comment>delete thread</comment>
        <translation>
            <numerusform>{count}件のスレッドを削除</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>restore {count} threads</source>
        <comment>restore thread</comment>
        <translation>
            <numerusform>{count}件のスレッドを復元</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>tag {count} threads</source>
        <comment>tag thread</comment>
        <translation>
            <numerusform>{count}件のスレッドにタグ付け</numerusform>
        </translation>
    </message>
    <message>
        <source>delete tag {name}</source>
        <translation>タグ{name}を削除</translation>
    </message>
    <message>
        <source>delete project {name}</source>
        <translation>プロジェクト{name}を削除</translation>
    </message>
    <message>
        <source>restore project {name}</source>
        <translation>プロジェクト{name}を復元</translation>
    </message>
    <message>
        <source>This thread is gone for good.</source>
        <translation>このスレッドは完全に削除されています。</translation>
    </message>
    <message>
        <source>{missing} of {thread_ids} threads are gone for good.</source>
        <translation>{thread_ids}件のスレッドのうち{missing}件は完全に削除されています。</translation>
    </message>
    <message>
        <source>Select those that are left and try again.</source>
        <translation>残っているものを選んで、もう一度試してください。</translation>
    </message>
    <message numerus="yes">
        <source>{count} of {all} threads are in the trash.</source>
        <comment>{count} of {all} threads is in the trash.</comment>
        <translation>
            <numerusform>{all}件のスレッドのうち{count}件はゴミ箱にあります。</numerusform>
        </translation>
    </message>
    <message>
        <source>Restore them first, or select the others only.</source>
        <translation>先に復元するか、ほかのものだけを選んでください。</translation>
    </message>
    <message>
        <source>A thread of a shared project cannot be moved out of it, because others have it, too.</source>
        <translation>共有プロジェクトのスレッドはほかの人も持っているため、外に移動できません。</translation>
    </message>
    <message>
        <source>Export it, and import it into the other project.</source>
        <translation>エクスポートしてから、別のプロジェクトにインポートしてください。</translation>
    </message>
    <message>
        <source>The team knows this thread from the project it was shared in before.</source>
        <translation>チームはこのスレッドを、以前共有されていたプロジェクトのものとして認識しています。</translation>
    </message>
    <message>
        <source>Branch it at its last message, and move the branch.</source>
        <translation>最後のメッセージでブランチを作り、そのブランチを移動してください。</translation>
    </message>
    <message>
        <source>This project is shared, so you cannot delete it.</source>
        <translation>このプロジェクトは共有中のため、削除できません。</translation>
    </message>
    <message>
        <source>Stop sharing it first; then delete your copy.</source>
        <translation>先に共有を停止してから、自分のコピーを削除してください。</translation>
    </message>
    <message>
        <source>This project is shared by others, so you cannot delete it.</source>
        <translation>このプロジェクトはほかの人が共有しているため、削除できません。</translation>
    </message>
    <message>
        <source>Leave it first; then delete your copy.</source>
        <translation>先に離れてから、自分のコピーを削除してください。</translation>
    </message>
    <message>
        <source>The library holds {most_prompts} prompts at most.</source>
        <translation>ライブラリに入るプロンプトは最大{most_prompts}件です。</translation>
    </message>
    <message>
        <source>Delete some that you do not use.</source>
        <translation>使わないものを削除してください。</translation>
    </message>
    <message>
        <source>The last changes cannot be shown: they are in the database&apos;s log, which can only be read where files can be created. Nothing was changed. Make the data directory writable, or copy it to a place that is, and start ChatDesk again.</source>
        <translation>最後の変更を表示できません。変更はデータベースのログにあり、ファイルを作成できる場所でしか読み取れません。何も変更されていません。データディレクトリを書き込み可能にするか、書き込み可能な場所にコピーして、もう一度起動してください。</translation>
    </message>
    <message>
        <source>The disk of {directory} is full, so ChatDesk can only read.</source>
        <translation>{directory}のディスクがいっぱいなので、ChatDeskは読み取りしかできません。</translation>
    </message>
    <message>
        <source>There is no database at {path}.</source>
        <translation>{path}にデータベースがありません。</translation>
    </message>
    <message>
        <source>Nothing was created.</source>
        <translation>何も作成されていません。</translation>
    </message>
    <message>
        <source>Start ChatDesk once, or choose another --data-dir.</source>
        <translation>ChatDeskを一度起動するか、別の--data-dirを選んでください。</translation>
    </message>
    <message>
        <source>No project is called “{value}”.</source>
        <translation>「{value}」という名前のプロジェクトはありません。</translation>
    </message>
    <message>
        <source>No tag is called “{value}”.</source>
        <translation>「{value}」という名前のタグはありません。</translation>
    </message>
    <message>
        <source>This data belongs to a newer ChatDesk, whose search index this one cannot read.</source>
        <translation>このデータは新しいバージョンのChatDeskのもので、その検索の索引を読み取れません。</translation>
    </message>
    <message>
        <source>The search index is damaged and is being rebuilt. Your messages are not affected.</source>
        <translation>検索インデックスが壊れているため、再構築しています。メッセージには影響ありません。</translation>
    </message>
    <message>
        <source>Nobody else has this: its project is not shared.</source>
        <translation>プロジェクトが共有されていないため、ほかの人はこれを持っていません。</translation>
    </message>
    <message>
        <source>Delete it, and empty the trash.</source>
        <translation>削除して、ゴミ箱を空にしてください。</translation>
    </message>
    <message>
        <source>You wrote none of this, so you cannot erase it for everybody.</source>
        <translation>自分が書いたものがないため、全員分を消去することはできません。</translation>
    </message>
    <message>
        <source>Ask an owner or admin of the project, who may erase what others wrote.</source>
        <translation>ほかの人が書いたものを消去できる、プロジェクトの所有者か管理者に依頼してください。</translation>
    </message>
    <message>
        <source>Your role in this project does not permit it. Ask one of its owners for another role, then try again.</source>
        <translation>このプロジェクトでの役割では許可されていません。所有者に別の役割を依頼して、もう一度試してください。</translation>
    </message>
    <message>
        <source>The thread or message that this belongs to is not on the team&apos;s server. Copy the text out to keep it elsewhere.</source>
        <translation>これが属するスレッドかメッセージがチームのサーバーにありません。ほかの場所に残すには、文章をコピーしてください。</translation>
    </message>
    <message>
        <source>The team&apos;s server has something else in this place. Copy it out to keep it elsewhere.</source>
        <translation>チームのサーバーのこの場所には別のものがあります。別の場所に残すにはコピーしてください。</translation>
    </message>
    <message>
        <source>This is larger than the {max_body_bytes} MB that the team&apos;s server takes in one change. Copy it out, or write it in parts.</source>
        <translation>チームのサーバーが1回の変更で受け付ける{max_body_bytes} MBを超えています。コピーするか、分けて書いてください。</translation>
    </message>
    <message>
        <source>Another member wrote something else here at the same time, which everybody sees. Try again to put this in its place, or copy it out.</source>
        <translation>別のメンバーが同時にここに別の内容を書き、全員にはそれが表示されています。これに置き換えるには再試行するか、コピーしてください。</translation>
    </message>
    <message>
        <source>The team&apos;s server did not take this. Try again, or copy it out.</source>
        <translation>チームのサーバーがこれを受け付けませんでした。もう一度試すか、コピーしてください。</translation>
    </message>
    <message>
        <source>There is no text in these changes that could be copied.</source>
        <translation>これらの変更にはコピーできるテキストがありません。</translation>
    </message>
    <message>
        <source>This project is shared already.</source>
        <translation>このプロジェクトはすでに共有されています。</translation>
    </message>
    <message>
        <source>{deleted_by} deleted this thread; it is back because {by} wrote in it at the same time.</source>
        <translation>{deleted_by}がこのスレッドを削除しましたが、同時に{by}が書き込んだため戻されました。</translation>
    </message>
    <message>
        <source>{deleted_by} deleted a message here; it is back because {by} wrote below it at the same time.</source>
        <translation>{deleted_by}がここのメッセージを削除しましたが、同時に{by}がその下に書き込んだため戻されました。</translation>
    </message>
    <message>
        <source>Messages are kept for 1 to {longest_retention_days} days.</source>
        <translation>メッセージの保管期間は1から{longest_retention_days}日です。</translation>
    </message>
    <message>
        <source>The daily backup was not made: it needs {needed} MB, {free} MB are free.</source>
        <translation>毎日のバックアップを作成できませんでした。{needed} MB必要ですが、空きは{free} MBです。</translation>
    </message>
    <message>
        <source>Your messages are kept, and so are the older backups.</source>
        <translation>メッセージは保存されており、以前のバックアップも残っています。</translation>
    </message>
    <message>
        <source>Free some space; ChatDesk tries again within the hour.</source>
        <translation>空き容量を増やしてください。ChatDeskは1時間以内にもう一度試します。</translation>
    </message>
    <message>
        <source>no backup</source>
        <translation>バックアップなし</translation>
    </message>
    <message>
        <source>Your messages and the older backups are unchanged.</source>
        <translation>メッセージと以前のバックアップはそのままです。</translation>
    </message>
    <message>
        <source>Check the disk; ChatDesk tries again within the hour.</source>
        <translation>ディスクを確認してください。ChatDeskは1時間以内にもう一度試します。</translation>
    </message>
    <message>
        <source>{name} is not a complete backup of ChatDesk.</source>
        <translation>{name}はChatDeskの完全なバックアップではありません。</translation>
    </message>
    <message>
        <source>Choose another backup.</source>
        <translation>別のバックアップを選んでください。</translation>
    </message>
    <message>
        <source>There is no backup at {path}.</source>
        <translation>{path}にバックアップがありません。</translation>
    </message>
    <message>
        <source>The daily check found damage in the database file.</source>
        <translation>毎日の確認でデータベースファイルの破損が見つかりました。</translation>
    </message>
    <message>
        <source>Nothing was changed, and what you see can still be read; there is no backup yet.</source>
        <translation>何も変更されておらず、見えているものは引き続き読めます。バックアップはまだありません。</translation>
    </message>
    <message>
        <source>Export the threads you need, then run &apos;chatdesk doctor&apos; for details.</source>
        <translation>必要なスレッドをエクスポートしてから、&apos;chatdesk doctor&apos;で詳細を確認してください。</translation>
    </message>
    <message>
        <source>Nothing was changed. The newest good backup is {path}.</source>
        <translation>何も変更されていません。最新の正常なバックアップは{path}です。</translation>
    </message>
    <message>
        <source>Export what is newer than that, then restore the backup: Settings, Data and backup, or &apos;chatdesk restore&apos;.</source>
        <translation>それより新しいものをエクスポートしてから、バックアップを復元してください:「設定」の「データとバックアップ」、または&apos;chatdesk restore&apos;。</translation>
    </message>
    <message>
        <source>Project {project} is in the trash, but not all of its threads are.</source>
        <translation>プロジェクト{project}はゴミ箱にありますが、一部のスレッドはゴミ箱にありません。</translation>
    </message>
    <message>
        <source>Messages of thread {thread} are out of place.</source>
        <translation>スレッド{thread}のメッセージの位置が正しくありません。</translation>
    </message>
    <message>
        <source>In thread {thread} a message that is chosen below another is not below it.</source>
        <translation>スレッド{thread}で、あるメッセージの下に選ばれたメッセージが、その下にありません。</translation>
    </message>
    <message>
        <source>The choice of shown messages of thread {thread} is broken.</source>
        <translation>スレッド{thread}で、表示するメッセージの選択が壊れています。</translation>
    </message>
    <message>
        <source>The file of part {part} is missing in the list of files.</source>
        <translation>パート{part}のファイルがファイルの一覧にありません。</translation>
    </message>
    <message numerus="yes">
        <source>{count} projects with threads outside the trash were taken out of the trash.</source>
        <comment>{count} project with threads outside the trash was taken out of the trash.</comment>
        <translation>
            <numerusform>ゴミ箱の外にスレッドがある{count}件のプロジェクトをゴミ箱から出しました。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The messages of {count} threads were put in their places again.</source>
        <comment>The messages of {count} thread were put in their places again.</comment>
        <translation>
            <numerusform>{count}件のスレッドのメッセージが元の位置に戻されました。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Choices of versions that led nowhere were removed in {count} threads.</source>
        <comment>Choices of versions that led nowhere were removed in {count} thread.</comment>
        <translation>
            <numerusform>{count}件のスレッドで、行き先のないバージョンの選択を取り除きました。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The choice of shown messages was repaired in {count} threads.</source>
        <comment>The choice of shown messages was repaired in {count} thread.</comment>
        <translation>
            <numerusform>{count}件のスレッドで、表示するメッセージの選択を修復しました。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} attached files were entered in the list of files again, from which they were missing.</source>
        <comment>{count} attached file was entered in the list of files again, from which it was missing.</comment>
        <translation>
            <numerusform>ファイルの一覧から抜けていた添付ファイル{count}件を登録し直しました。</numerusform>
        </translation>
    </message>
    <message>
        <source>The database as it was before the repair is kept at {kept}.</source>
        <translation>修復前のデータベースは{kept}に残してあります。</translation>
    </message>
    <message>
        <source>Nothing was wrong.</source>
        <translation>問題はありませんでした。</translation>
    </message>
    <message>
        <source>The file is too damaged for SQLite to check it.</source>
        <translation>ファイルの損傷がひどく、SQLiteで検査できません。</translation>
    </message>
    <message>
        <source>The search index was rebuilt; it is filled in the background.</source>
        <translation>検索インデックスを再構築しました。内容はバックグラウンドで登録されます。</translation>
    </message>
    <message numerus="yes">
        <source>The last shown message was determined again in {count} threads.</source>
        <comment>The last shown message was determined again in {count} thread.</comment>
        <translation>
            <numerusform>{count}件のスレッドで、最後に表示するメッセージを決め直しました。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The counters of {count} threads were corrected.</source>
        <comment>The counters of {count} thread were corrected.</comment>
        <translation>
            <numerusform>{count}件のスレッドのカウンターを直しました。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads whose project is missing were moved to a private project.</source>
        <comment>{count} thread whose project is missing was moved to a private project.</comment>
        <translation>
            <numerusform>プロジェクトが失われた{count}件のスレッドを個人用プロジェクトに移しました。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages whose previous message is missing now begin a version of their own.</source>
        <comment>{count} message whose previous message is missing now begins a version of its own.</comment>
        <translation>
            <numerusform>前のメッセージが失われた{count}件のメッセージは、独立したバージョンの先頭になりました。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} drafts whose thread is missing were added to the draft of a new thread.</source>
        <comment>{count} draft whose thread is missing was added to the draft of a new thread.</comment>
        <translation>
            <numerusform>スレッドが失われた{count}件の下書きを、新しいスレッドの下書きに加えました。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} rows of {table} that belonged to nothing were removed.</source>
        <comment>{count} row of {table} that belonged to nothing was removed.</comment>
        <translation>
            <numerusform>何にも属さない{table}の行を{count}件削除しました。</numerusform>
        </translation>
    </message>
    <message>
        <source>The search index is damaged.</source>
        <translation>検索インデックスが壊れています。</translation>
    </message>
    <message>
        <source>The file itself is damaged (problems found: {found}), so nothing was changed in it.</source>
        <translation>ファイル自体が壊れているため(見つかった問題: {found})、何も変更しませんでした。</translation>
    </message>
    <message>
        <source>It was left as it is; a backup may still have the original.</source>
        <translation>そのままにしました。バックアップに元のものが残っている可能性があります。</translation>
    </message>
    <message>
        <source>A backup made with &apos;chatdesk backup FILE&apos; contains it, if it was made in time.</source>
        <translation>&apos;chatdesk backup FILE&apos;で作ったバックアップが間に合っていれば、そこに含まれています。</translation>
    </message>
    <message>
        <source>It could not be repaired.</source>
        <translation>修復できませんでした。</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads that had lost title and settings are called “{recovered_title}”.</source>
        <comment>{count} thread that had lost title and settings is called “{recovered_title}”.</comment>
        <translation>
            <numerusform>タイトルと設定を失った{count}件のスレッドの名前を「{recovered_title}」にしました。</numerusform>
        </translation>
    </message>
    <message>
        <source>Press Connect again in Settings, Team sync, or run &apos;chatdesk team join&apos;: then what was lost of shared projects is fetched from the team&apos;s server as far as it is there.</source>
        <translation>設定のチーム同期で「再接続」を押すか、&apos;chatdesk team join&apos; を実行してください。共有プロジェクトの失われた内容のうち、チームのサーバーにあるものが取得されます。</translation>
    </message>
    <message>
        <source>Restore a backup, or close ChatDesk and run &apos;chatdesk doctor --repair&apos;, which copies what can still be read.</source>
        <translation>バックアップを復元するか、ChatDeskを閉じて&apos;chatdesk doctor --repair&apos;を実行してください。まだ読めるものがコピーされます。</translation>
    </message>
    <message>
        <source>{name} needs more time or memory than a backup of its size should, so ChatDesk stopped reading it.</source>
        <translation>{name}は大きさに見合わない時間またはメモリーを必要とするため、ChatDeskは読み取りを中止しました。</translation>
    </message>
    <message>
        <source>Checking the backup needs up to {needed} MB; {free} MB are free.</source>
        <translation>バックアップの確認には最大{needed} MB必要です。空きは{free} MBです。</translation>
    </message>
    <message>
        <source>{name} would fill the disk if it were unpacked, so it was not.</source>
        <translation>{name}は展開するとディスクがいっぱいになるため、展開しませんでした。</translation>
    </message>
    <message>
        <source>There is not enough room on the disk for the contents of the backup.</source>
        <translation>ディスクにバックアップの内容を入れるだけの空きがありません。</translation>
    </message>
    <message>
        <source>This backup was written by a newer ChatDesk.</source>
        <translation>このバックアップは新しいバージョンのChatDeskで書き込まれたものです。</translation>
    </message>
    <message>
        <source>Update ChatDesk to restore it.</source>
        <translation>復元するにはChatDeskをアップデートしてください。</translation>
    </message>
    <message>
        <source>{name} contains something that ChatDesk did not put there: {first}{more}.</source>
        <translation>{name}に、ChatDeskが入れたものではない内容があります: {first}{more}。</translation>
    </message>
    <message>
        <source>{name} is damaged: some messages are replies to themselves.</source>
        <translation>{name}は壊れています: 自分自身への返信になっているメッセージがあります。</translation>
    </message>
    <message>
        <source>the column {column} of the table {table}</source>
        <translation>テーブル{table}の列{column}</translation>
    </message>
    <message>
        <source>the table {table}</source>
        <translation>テーブル{table}</translation>
    </message>
    <message>
        <source>{name} is not a complete backup of ChatDesk: {lack} is missing.</source>
        <translation>{name}はChatDeskの完全なバックアップではありません: {lack}がありません。</translation>
    </message>
    <message>
        <source>Nothing could be read from the damaged database.</source>
        <translation>破損したデータベースから何も読み取れませんでした。</translation>
    </message>
    <message>
        <source>It was left as it is.</source>
        <translation>そのまま残してあります。</translation>
    </message>
    <message>
        <source>Restore the newest backup.</source>
        <translation>最新のバックアップを復元してください。</translation>
    </message>
    <message>
        <source>Messages that could not be read but whose text was recovered in place: {placed}.</source>
        <translation>読み取れなかったものの、文章を元の位置に復元したメッセージ: {placed}。</translation>
    </message>
    <message>
        <source>Recovered texts whose messages are lost, now in the thread “{title}”: {apart}.</source>
        <translation>メッセージが失われ、文章だけ復元してスレッド「{title}」に入れたもの: {apart}。</translation>
    </message>
    <message>
        <source>Putting in order what was copied…</source>
        <translation>コピーしたものを整理しています…</translation>
    </message>
    <message>
        <source>Problems that are left: {wrong}; &apos;chatdesk doctor&apos; lists them.</source>
        <translation>残っている問題: {wrong}。&apos;chatdesk doctor&apos;で一覧表示できます。</translation>
    </message>
    <message>
        <source>{name}: the table could not be found in the file.</source>
        <translation>{name}: ファイルの中に表が見つかりませんでした。</translation>
    </message>
    <message>
        <source>{name}: the table had lost its definition.</source>
        <translation>{name}: 表の定義が失われていました。</translation>
    </message>
    <message>
        <source>Reading {name}: {number} rows…</source>
        <translation>{name}を読み取り中: {number}行…</translation>
    </message>
    <message numerus="yes">
        <source>{name}: {count} rows had values that could not be read.</source>
        <comment>{name}: {count} row had values that could not be read.</comment>
        <translation>
            <numerusform>{name}: {count}行に読み取れない値がありました。</numerusform>
        </translation>
    </message>
    <message>
        <source>{name}: this is not a table of ChatDesk, so it was left out.</source>
        <translation>{name}: ChatDeskの表ではないため、除きました。</translation>
    </message>
    <message numerus="yes">
        <source>{count} places</source>
        <comment>{count} place</comment>
        <translation>
            <numerusform>{count}か所</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}: {count} rows were copied; {places} could not be read.</source>
        <comment>{name}: {count} row was copied; {places} could not be read.</comment>
        <translation>
            <numerusform>{name}: {count}行をコピーしました。{places}を読み取れませんでした。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}: {count} rows were copied; {left_out} that are there twice or make no sense were not.</source>
        <comment>{name}: {count} row was copied; {left_out} that are there twice or make no sense were not.</comment>
        <translation>
            <numerusform>{name}: {count}行をコピーしました。重複または意味をなさない{left_out}行はコピーしていません。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}: all {count} rows were copied.</source>
        <comment>{name}: the {count} row was copied.</comment>
        <translation>
            <numerusform>{name}: {count}行すべてをコピーしました。</numerusform>
        </translation>
    </message>
    <message>
        <source>The invitation names the server “{host}”, which only this computer reaches. Give the workspace a name or IP address that others reach before you invite anybody: Settings, Team sync, Address.</source>
        <translation>招待のサーバー「{host}」には、このコンピューターからしか接続できません。誰かを招待する前に、ほかの人が接続できる名前かIPアドレスをワークスペースに設定してください:「設定」の「チーム同期」の「アドレス」。</translation>
    </message>
    <message>
        <source>The invitation names the server “{host}”, which is found in your own network only. Whoever is elsewhere needs a way into it, such as a VPN.</source>
        <translation>招待のサーバー「{host}」は自分のネットワーク内でしか見つかりません。ほかの場所の人には、VPNなどネットワークに入る方法が必要です。</translation>
    </message>
    <message>
        <source>That is not the address of a Postgres database.</source>
        <translation>Postgresデータベースのアドレスではありません。</translation>
    </message>
    <message>
        <source>It looks like postgresql://name:password@db.example.org:5432/team; the server&apos;s operator shows it.</source>
        <translation>postgresql://name:password@db.example.org:5432/teamのような形です。サーバーの運営者から確認できます。</translation>
    </message>
    <message>
        <source>“{host}” is neither the name nor the IP address of a server.</source>
        <translation>「{host}」はサーバーの名前でもIPアドレスでもありません。</translation>
    </message>
    <message>
        <source>A port is a number from 1 to 65535.</source>
        <translation>ポートは1から65535までの数です。</translation>
    </message>
    <message>
        <source>The name of the database is missing, or has characters that ChatDesk does not accept.</source>
        <translation>データベースの名前がないか、ChatDeskが受け付けない文字が含まれています。</translation>
    </message>
    <message>
        <source>The name of the login is missing, or has characters that ChatDesk does not accept.</source>
        <translation>ログインの名前がないか、ChatDeskが受け付けない文字が含まれています。</translation>
    </message>
    <message>
        <source>ChatDesk does not know this kind of encryption.</source>
        <translation>この種類の暗号化はChatDeskでは使えません。</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s daily limit of text for each member.</source>
        <translation>今日送信したテキストが、ワークスペースのメンバーごとの上限に達しました。</translation>
    </message>
    <message>
        <source>This project has reached the workspace&apos;s daily limit of text for each project.</source>
        <translation>今日このプロジェクトに送信されたテキストが、ワークスペースのプロジェクトごとの上限に達しました。</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s daily limit of files for each member.</source>
        <translation>今日送信したファイルが、ワークスペースのメンバーごとの上限に達しました。</translation>
    </message>
    <message>
        <source>This project has reached the workspace&apos;s daily limit of files for each project.</source>
        <translation>今日このプロジェクトに送信されたファイルが、ワークスペースのプロジェクトごとの上限に達しました。</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s limit of changes a minute for each member.</source>
        <translation>この1分間に送信した変更が、ワークスペースのメンバーごとの上限に達しました。</translation>
    </message>
    <message>
        <source>ChatDesk continues by itself tomorrow (UTC). An owner of the workspace can raise the limit.</source>
        <translation>ChatDeskは明日(UTC)自動的に続行します。ワークスペースの所有者は上限を上げられます。</translation>
    </message>
    <message>
        <source>ChatDesk continues by itself in a minute.</source>
        <translation>ChatDeskは1分後に自動的に続行します。</translation>
    </message>
    <message>
        <source>The workspace has reached its limit of members.</source>
        <translation>ワークスペースのメンバー数が上限に達しました。</translation>
    </message>
    <message>
        <source>An owner of the workspace can raise the limit, or remove somebody.</source>
        <translation>ワークスペースの所有者は、上限を上げるか誰かを外すことができます。</translation>
    </message>
    <message>
        <source>The workspace has reached its limit of open invitations.</source>
        <translation>ワークスペースの未使用の招待が上限に達しました。</translation>
    </message>
    <message>
        <source>Withdraw some, or wait until they expire. An owner of the workspace can raise the limit.</source>
        <translation>いくつか取り消すか、期限が切れるのを待ってください。ワークスペースの所有者は上限を上げられます。</translation>
    </message>
    <message>
        <source>You have reached the workspace&apos;s limit of shared projects for each member.</source>
        <translation>共有したプロジェクトが、ワークスペースのメンバーごとの上限に達しました。</translation>
    </message>
    <message>
        <source>An owner of the workspace can raise the limit.</source>
        <translation>ワークスペースの所有者は上限を上げられます。</translation>
    </message>
    <message>
        <source>What the team&apos;s server sends does not fit what it sent before.</source>
        <translation>チームのサーバーから送られる内容が、以前のものと合いません。</translation>
    </message>
    <message>
        <source>What was received before stays readable, and everything you wrote is kept on this computer.</source>
        <translation>それまでに受信したものは引き続き読め、書いたものはすべてこのコンピューターに保存されています。</translation>
    </message>
    <message>
        <source>The team&apos;s database cannot be reached.</source>
        <translation>チームのデータベースに接続できません。</translation>
    </message>
    <message>
        <source>ChatDesk tries again by itself.</source>
        <translation>ChatDeskが自動的に再試行します。</translation>
    </message>
    <message>
        <source>The team&apos;s database is busy with another member&apos;s change.</source>
        <translation>チームのデータベースはほかのメンバーの変更を処理中です。</translation>
    </message>
    <message>
        <source>The team&apos;s database waits for an unfinished change of {by}.</source>
        <translation>チームのデータベースは{by}の未完了の変更を待っています。</translation>
    </message>
    <message>
        <source>{next_step} If it stays so, an owner of the workspace can end their connections.</source>
        <translation>{next_step} 変わらない場合、ワークスペースの所有者はその接続を終了できます。</translation>
    </message>
    <message>
        <source>A limit of the workspace is reached.</source>
        <translation>ワークスペースの上限に達しました。</translation>
    </message>
    <message>
        <source>An owner of the workspace can change it.</source>
        <translation>ワークスペースの所有者は変更できます。</translation>
    </message>
    <message>
        <source>Another member of the workspace has this name.</source>
        <translation>ワークスペースのほかのメンバーがこの名前を使っています。</translation>
    </message>
    <message>
        <source>Choose a name that tells you apart.</source>
        <translation>区別できる名前を選んでください。</translation>
    </message>
    <message>
        <source>This address leads to another team&apos;s database than the one you joined.</source>
        <translation>このアドレスは、参加したチームとは別のチームのデータベースのものです。</translation>
    </message>
    <message>
        <source>Ask the workspace&apos;s owner for the address, or join the other workspace on its own.</source>
        <translation>ワークスペースの所有者にアドレスを尋ねるか、もう一方のワークスペースに別途参加してください。</translation>
    </message>
    <message>
        <source>The password for the team&apos;s database cannot be found on this computer.</source>
        <translation>チームのデータベースのパスワードがこのコンピューターに見つかりません。</translation>
    </message>
    <message>
        <source>Unlock the keyring, or enter the password in Settings, Team sync.</source>
        <translation>キーリングのロックを解除するか、「設定」の「チーム同期」でパスワードを入力してください。</translation>
    </message>
    <message>
        <source>This address leads to a pooler that gives each transaction another connection.</source>
        <translation>このアドレスは、トランザクションごとに別の接続を割り当てるプーラーにつながっています。</translation>
    </message>
    <message>
        <source>Use the server&apos;s direct port, or session pooling.</source>
        <translation>サーバーに直接つながるポートか、セッション単位のプーリングを使ってください。</translation>
    </message>
    <message>
        <source>The team&apos;s database did not answer in time.</source>
        <translation>チームのデータベースが時間内に応答しませんでした。</translation>
    </message>
    <message>
        <source>The server of the team&apos;s database was not found under its name.</source>
        <translation>チームのデータベースのサーバーがその名前では見つかりませんでした。</translation>
    </message>
    <message>
        <source>Check the name and your network. ChatDesk tries again by itself.</source>
        <translation>名前とネットワークを確認してください。ChatDeskが自動的に再試行します。</translation>
    </message>
    <message>
        <source>The team&apos;s database takes no more connections at the moment.</source>
        <translation>チームのデータベースは現在これ以上の接続を受け付けません。</translation>
    </message>
    <message>
        <source>ChatDesk tries again by itself. If it stays so, the server&apos;s max_connections is too small.</source>
        <translation>ChatDeskが自動的に再試行します。変わらない場合、サーバーのmax_connectionsが小さすぎます。</translation>
    </message>
    <message>
        <source>The team&apos;s database cannot be written to at the moment: its server is a standby, or was made read-only.</source>
        <translation>チームのデータベースに現在書き込めません。サーバーがスタンバイか、読み取り専用になっています。</translation>
    </message>
    <message>
        <source>ChatDesk tries again by itself. If it stays so, tell whoever runs the server.</source>
        <translation>ChatDeskが自動的に再試行します。変わらない場合は、サーバーの運営者に知らせてください。</translation>
    </message>
    <message>
        <source>The disk of the team&apos;s server is full.</source>
        <translation>チームのサーバーのディスクがいっぱいです。</translation>
    </message>
    <message>
        <source>Tell whoever runs the server. ChatDesk tries again by itself.</source>
        <translation>サーバーの運営者に知らせてください。ChatDeskが自動的に再試行します。</translation>
    </message>
    <message>
        <source>The team&apos;s server did not take the password: it is wrong, or it has expired.</source>
        <translation>チームのサーバーがパスワードを受け付けませんでした。間違っているか、期限が切れています。</translation>
    </message>
    <message>
        <source>Enter the password again, or ask the workspace&apos;s owner for a new invitation.</source>
        <translation>パスワードを入力し直すか、ワークスペースの所有者に新しい招待を依頼してください。</translation>
    </message>
    <message>
        <source>Your login to the team&apos;s database was closed: you are no longer a member of this workspace.</source>
        <translation>チームのデータベースへのログインが閉じられました。このワークスペースのメンバーではなくなっています。</translation>
    </message>
    <message>
        <source>If this is a mistake, ask the workspace&apos;s owner for a new invitation.</source>
        <translation>間違いであれば、ワークスペースの所有者に新しい招待を依頼してください。</translation>
    </message>
    <message>
        <source>This login is not a member of the workspace.</source>
        <translation>このログインはワークスペースのメンバーではありません。</translation>
    </message>
    <message>
        <source>Ask the workspace&apos;s owner for an invitation.</source>
        <translation>ワークスペースの所有者に招待を依頼してください。</translation>
    </message>
    <message>
        <source>The invitation was not accepted in time, or not at all.</source>
        <translation>招待は期限内に承諾されなかったか、まったく承諾されていません。</translation>
    </message>
    <message>
        <source>Accept it, or ask the workspace&apos;s owner for a new one.</source>
        <translation>承諾するか、ワークスペースの所有者に新しいものを依頼してください。</translation>
    </message>
    <message>
        <source>The invitation was used already, or withdrawn; each is good once.</source>
        <translation>招待はすでに使われたか、取り消されています。それぞれ1回限り有効です。</translation>
    </message>
    <message>
        <source>If you joined on another computer, add this one there. If it was not you who used it, tell the workspace&apos;s owner, who can remove that member; then ask for a new one.</source>
        <translation>別のコンピューターで参加した場合は、そちらでこのコンピューターを追加してください。自分が使ったのでなければ、ワークスペースの所有者に知らせてそのメンバーを外してもらい、新しいものを依頼してください。</translation>
    </message>
    <message>
        <source>The server of the team&apos;s database does not speak TLS, so what you write would be sent unencrypted.</source>
        <translation>チームのデータベースのサーバーがTLSに対応していないため、書いた内容が暗号化されずに送られてしまいます。</translation>
    </message>
    <message>
        <source>Ask whoever runs the server to turn TLS on. Nothing was sent.</source>
        <translation>サーバーの運営者にTLSをオンにするよう依頼してください。何も送られていません。</translation>
    </message>
    <message>
        <source>The server of the team&apos;s database refuses connections of this kind from this computer.</source>
        <translation>チームのデータベースのサーバーは、このコンピューターからのこの方式の接続を拒否しています。</translation>
    </message>
    <message>
        <source>Turn TLS on for this address, or ask whoever runs the server to let this computer in.</source>
        <translation>このアドレスのTLSをオンにするか、このコンピューターを許可するようサーバーの運営者に依頼してください。</translation>
    </message>
    <message>
        <source>This computer does not trust the certificate of the team&apos;s server for that server&apos;s name.</source>
        <translation>このコンピューターは、チームのサーバーの証明書をそのサーバー名に対して信頼していません。</translation>
    </message>
    <message>
        <source>Somebody may be intercepting the connection. Ask whoever runs the server for its certificate. Nothing was sent.</source>
        <translation>誰かが接続を傍受している可能性があります。サーバーの運営者に証明書を依頼してください。何も送られていません。</translation>
    </message>
    <message>
        <source>The server asked for the password itself instead of a proof that you know it, so ChatDesk did not send it.</source>
        <translation>サーバーがパスワードを知っている証明ではなくパスワード自体を求めたため、ChatDeskは送信しませんでした。</translation>
    </message>
    <message>
        <source>It may not be the team&apos;s server. Ask whoever runs it; its passwords have to be scram-sha-256.</source>
        <translation>チームのサーバーではないかもしれません。運営者に問い合わせてください。パスワードはscram-sha-256でなければなりません。</translation>
    </message>
    <message>
        <source>There is no such database on the team&apos;s server.</source>
        <translation>チームのサーバーにそのデータベースはありません。</translation>
    </message>
    <message>
        <source>Check the name of the database.</source>
        <translation>データベースの名前を確認してください。</translation>
    </message>
    <message>
        <source>There is no workspace of ChatDesk in this database.</source>
        <translation>このデータベースにChatDeskのワークスペースはありません。</translation>
    </message>
    <message>
        <source>Check the address, or create a workspace there.</source>
        <translation>アドレスを確認するか、そこにワークスペースを作成してください。</translation>
    </message>
    <message>
        <source>The database is not empty, and a workspace needs one for itself.</source>
        <translation>データベースが空ではありません。ワークスペースには専用のデータベースが必要です。</translation>
    </message>
    <message>
        <source>Create an empty database and give its address. Nothing was changed.</source>
        <translation>空のデータベースを作成し、そのアドレスを指定してください。何も変更されていません。</translation>
    </message>
    <message>
        <source>The server is older than PostgreSQL 15.</source>
        <translation>サーバーがPostgreSQL 15より古いものです。</translation>
    </message>
    <message>
        <source>A workspace needs PostgreSQL 15 or newer. Nothing was changed.</source>
        <translation>ワークスペースにはPostgreSQL 15以降が必要です。何も変更されていません。</translation>
    </message>
    <message>
        <source>The workspace was upgraded by a newer ChatDesk than this one.</source>
        <translation>ワークスペースは、これより新しいChatDeskでアップグレードされています。</translation>
    </message>
    <message>
        <source>Update ChatDesk to continue; until then, what you change waits here.</source>
        <translation>続けるにはChatDeskをアップデートしてください。それまで変更はここで待機します。</translation>
    </message>
    <message>
        <source>The team&apos;s database is of an older ChatDesk than this one.</source>
        <translation>チームのデータベースは、このChatDeskより古いバージョンのものです。</translation>
    </message>
    <message>
        <source>An owner upgrades it: &apos;chatdesk team upgrade&apos;, or upgrade.sql. Until then, what you change waits here.</source>
        <translation>所有者がアップグレードします: 「chatdesk team upgrade」またはupgrade.sql。それまで、あなたの変更はここで待機します。</translation>
    </message>
    <message>
        <source>This profile, or a copy of it, was put in the place of another one, so it no longer syncs.</source>
        <translation>このプロファイルまたはそのコピーが別のプロファイルの場所に置かれたため、同期を停止しました。</translation>
    </message>
    <message>
        <source>Press Connect again in Settings, Team sync, or run &apos;chatdesk team join&apos;. What waits here is sent then.</source>
        <translation>設定のチーム同期で「再接続」を押すか、&apos;chatdesk team join&apos; を実行してください。ここで待機しているものはそのとき送信されます。</translation>
    </message>
    <message>
        <source>Tell the people who run the server. Nothing was changed.</source>
        <translation>サーバーの管理者に知らせてください。何も変更されていません。</translation>
    </message>
    <message>
        <source>The workspace does not, or no longer, know this computer.</source>
        <translation>ワークスペースはこのコンピューターを(もう)認識していません。</translation>
    </message>
    <message>
        <source>This login may not do what setting up a workspace takes: own the database and create roles in it.</source>
        <translation>このログインには、ワークスペースの設定に必要な権限(データベースの所有とその中でのロールの作成)がありません。</translation>
    </message>
    <message>
        <source>ChatDesk asks again by itself. Tell the people who run the server.</source>
        <translation>ChatDesk は自動的に再度問い合わせます。サーバーの管理者に知らせてください。</translation>
    </message>
    <message>
        <source>Use a login that owns the database and has CREATEROLE. Nothing was changed.</source>
        <translation>データベースを所有しCREATEROLEを持つログインを使ってください。何も変更されていません。</translation>
    </message>
    <message>
        <source>The project was deleted for everybody by its owner.</source>
        <translation>プロジェクトは所有者によって全員分が削除されました。</translation>
    </message>
    <message>
        <source>Your copy stays here as a private project.</source>
        <translation>自分のコピーは個人用プロジェクトとしてここに残ります。</translation>
    </message>
    <message>
        <source>You are no longer in this project.</source>
        <translation>このプロジェクトのメンバーではなくなっています。</translation>
    </message>
    <message>
        <source>Your copy stays here as a private project. To come back, ask one of its owners.</source>
        <translation>自分のコピーは個人用プロジェクトとしてここに残ります。戻るには所有者に依頼してください。</translation>
    </message>
    <message>
        <source>ChatDesk registers it again by itself.</source>
        <translation>ChatDeskが自動的に再登録します。</translation>
    </message>
    <message>
        <source>Your role does not permit this.</source>
        <translation>現在の役割では許可されていません。</translation>
    </message>
    <message>
        <source>Ask an owner of the project or of the workspace. Nothing was changed.</source>
        <translation>プロジェクトまたはワークスペースの所有者に依頼してください。何も変更されていません。</translation>
    </message>
    <message>
        <source>There must always be an owner.</source>
        <translation>所有者は必ず1人必要です。</translation>
    </message>
    <message>
        <source>Make somebody else owner first. Nothing was changed.</source>
        <translation>先にほかの人を所有者にしてください。何も変更されていません。</translation>
    </message>
    <message>
        <source>The team&apos;s database did not take a value.</source>
        <translation>チームのデータベースが値を受け付けませんでした。</translation>
    </message>
    <message>
        <source>Check what you typed. Nothing was changed.</source>
        <translation>入力した内容を確認してください。何も変更されていません。</translation>
    </message>
    <message>
        <source>By now the server misses other changes of this project than those, or none.</source>
        <translation>現在サーバーに欠けているこのプロジェクトの変更は、これらとは異なるか、もうありません。</translation>
    </message>
    <message>
        <source>Check against the server again. Nothing was changed.</source>
        <translation>もう一度サーバーと照合してください。何も変更されていません。</translation>
    </message>
    <message>
        <source>Changes of this project were not only lost on the server, but rewritten as well.</source>
        <translation>サーバー上で、このプロジェクトの変更が失われただけでなく、書き換えられています。</translation>
    </message>
    <message>
        <source>This person has not accepted the invitation yet.</source>
        <translation>この人はまだ招待を承諾していません。</translation>
    </message>
    <message>
        <source>Try it again when they have joined. Nothing was changed.</source>
        <translation>参加してからもう一度試してください。何も変更していません。</translation>
    </message>
    <message>
        <source>This person is not, or no longer, a member of the workspace.</source>
        <translation>この人はワークスペースのメンバーではないか、もうメンバーではありません。</translation>
    </message>
    <message>
        <source>Invite them first. Nothing was changed.</source>
        <translation>先に招待してください。何も変更していません。</translation>
    </message>
    <message>
        <source>That exists already and is another member&apos;s.</source>
        <translation>それはすでに存在し、ほかのメンバーのものです。</translation>
    </message>
    <message>
        <source>The file is no longer on the computer that sent the message.</source>
        <translation>ファイルは、メッセージを送信したコンピューターにもうありません。</translation>
    </message>
    <message>
        <source>The team&apos;s database does not have the file (yet).</source>
        <translation>ファイルは(まだ)チームのデータベースにありません。</translation>
    </message>
    <message>
        <source>The team&apos;s database has a different file under this name.</source>
        <translation>チームのデータベースには、この名前で別のファイルがあります。</translation>
    </message>
    <message>
        <source>The file is larger than ChatDesk takes from a team.</source>
        <translation>ファイルが、ChatDeskがチームから受け取る大きさを超えています。</translation>
    </message>
    <message>
        <source>A shared file could not be saved: {reason}.</source>
        <translation>共有ファイルを保存できませんでした: {reason}。</translation>
    </message>
    <message>
        <source>Make room on the disk; ChatDesk tries again by itself.</source>
        <translation>ディスクの空きを増やしてください。ChatDeskが自動的に再試行します。</translation>
    </message>
    <message>
        <source>That is not an invitation to a workspace.</source>
        <translation>ワークスペースへの招待ではありません。</translation>
    </message>
    <message>
        <source>Paste the whole code or link, or open the file that you were given.</source>
        <translation>コードまたはリンクの全体を貼り付けるか、受け取ったファイルを開いてください。</translation>
    </message>
    <message>
        <source>The invitation is cut off: its end is missing.</source>
        <translation>招待が途切れています。末尾がありません。</translation>
    </message>
    <message>
        <source>Copy all of it, or ask for it as a file.</source>
        <translation>全体をコピーするか、ファイルで送ってもらってください。</translation>
    </message>
    <message>
        <source>The invitation was changed on its way: it is not what was sent.</source>
        <translation>招待が途中で変更されています。書かれたときのものと異なります。</translation>
    </message>
    <message>
        <source>Copy it again from where you got it, or ask for it as a file.</source>
        <translation>受け取った場所からコピーし直すか、ファイルで送ってもらってください。</translation>
    </message>
    <message>
        <source>The invitation was made by a newer ChatDesk.</source>
        <translation>招待は新しいバージョンのChatDeskで作成されたものです。</translation>
    </message>
    <message>
        <source>Install the newest ChatDesk, then open it again.</source>
        <translation>最新のChatDeskをインストールしてから、もう一度開いてください。</translation>
    </message>
    <message>
        <source>The passphrase does not open this code.</source>
        <translation>このパスフレーズではこのコードを開けません。</translation>
    </message>
    <message>
        <source>Type it as it is shown on the other computer, three groups of four characters.</source>
        <translation>もう一方のコンピューターに表示されているとおり、4文字ずつ3組で入力してください。</translation>
    </message>
    <message>
        <source>This profile is not in that workspace.</source>
        <translation>このプロファイルはそのワークスペースに入っていません。</translation>
    </message>
    <message>
        <source>Join it in Settings, Team sync.</source>
        <translation>「設定」の「チーム同期」で参加してください。</translation>
    </message>
    <message>
        <source>An invitation is good for 1 to {longest_days} days.</source>
        <translation>招待の有効期間は1から{longest_days}日です。</translation>
    </message>
    <message>
        <source>Choose fewer days.</source>
        <translation>日数を減らしてください。</translation>
    </message>
    <message>
        <source>You cannot remove yourself.</source>
        <translation>自分自身を外すことはできません。</translation>
    </message>
    <message>
        <source>Leave the workspace instead.</source>
        <translation>代わりにワークスペースを離れてください。</translation>
    </message>
    <message>
        <source>Share it first.</source>
        <translation>先に共有してください。</translation>
    </message>
    <message>
        <source>The code has expired.</source>
        <translation>コードの期限が切れています。</translation>
    </message>
    <message>
        <source>Make a new one on your other computer.</source>
        <translation>もう一方のコンピューターで新しいものを作成してください。</translation>
    </message>
    <message>
        <source>If you began to set up a workspace here, setting it up again finishes that.</source>
        <translation>ここでワークスペースの設定を始めていた場合は、もう一度設定すると完了します。</translation>
    </message>
    <message>
        <source>The password of this workspace is not known here.</source>
        <translation>このワークスペースのパスワードがここにはありません。</translation>
    </message>
    <message>
        <source>The password comes from an environment variable, so ChatDesk cannot change it.</source>
        <translation>パスワードは環境変数から取得しているため、ChatDeskでは変更できません。</translation>
    </message>
    <message>
        <source>Remove the variable, type the password once, and change it then.</source>
        <translation>変数を削除し、パスワードを一度入力してから変更してください。</translation>
    </message>
    <message>
        <source>The invitation has expired.</source>
        <translation>招待の期限が切れています。</translation>
    </message>
    <message>
        <source>Ask whoever invited you for a new one.</source>
        <translation>招待した人に新しいものを依頼してください。</translation>
    </message>
    <message>
        <source>This code no longer opens the team&apos;s database: the password was changed, or you were removed.</source>
        <translation>このコードではもうチームのデータベースを開けません。パスワードが変更されたか、メンバーから外されています。</translation>
    </message>
    <message>
        <source>Make a new code on a computer that still syncs, or ask the workspace&apos;s owner.</source>
        <translation>まだ同期しているコンピューターで新しいコードを作成するか、ワークスペースの所有者に依頼してください。</translation>
    </message>
    <message>
        <source>This profile is in that workspace already.</source>
        <translation>このプロファイルはすでにそのワークスペースに入っています。</translation>
    </message>
    <message>
        <source>Settings, Team sync shows its state.</source>
        <translation>状態は「設定」の「チーム同期」で確認できます。</translation>
    </message>
    <message>
        <source>This server has no encryption: everybody on the way can read and change what is sent, passwords too.</source>
        <translation>このサーバーには暗号化がありません。途中の誰でも、パスワードを含め送信内容を読んだり変更したりできます。</translation>
    </message>
    <message>
        <source>Ask for a server with TLS; agree only on this computer or in a network of your own.</source>
        <translation>TLSのあるサーバーを依頼してください。同意するのは、このコンピューターか自分のネットワーク内に限ってください。</translation>
    </message>
    <message>
        <source>This server is not in a network of your own, so ChatDesk speaks to it with encryption only.</source>
        <translation>このサーバーは自分のネットワーク内にないため、ChatDeskは暗号化した場合のみ接続します。</translation>
    </message>
    <message>
        <source>Switch TLS on at the server; docs/team-administration.md says how.</source>
        <translation>サーバーでTLSをオンにしてください。方法はdocs/team-administration.mdにあります。</translation>
    </message>
    <message>
        <source>A name has 1 to 80 characters on one line.</source>
        <translation>名前は1行で1から80文字です。</translation>
    </message>
    <message>
        <source>Type another one.</source>
        <translation>別の名前を入力してください。</translation>
    </message>
    <message>
        <source>This code is for a further computer of yours and sealed with a passphrase.</source>
        <translation>このコードは自分の別のコンピューター用で、パスフレーズで保護されています。</translation>
    </message>
    <message>
        <source>Type the passphrase that is shown beside the code.</source>
        <translation>コードの横に表示されているパスフレーズを入力してください。</translation>
    </message>
    <message>
        <source>A password for a team&apos;s database has {shortest} to {longest} letters, digits and signs of an English keyboard, without spaces.</source>
        <translation>チームのデータベースのパスワードは、英語キーボードの文字、数字、記号で{shortest}から{longest}文字、空白なしです。</translation>
    </message>
    <message>
        <source>Choose another one.</source>
        <translation>別のものを選んでください。</translation>
    </message>
    <message>
        <source>This computer cannot keep the password for the team&apos;s database.</source>
        <translation>このコンピューターではチームのデータベースのパスワードを保管できません。</translation>
    </message>
    <message>
        <source>Nothing was changed on the server, and the invitation is still good.</source>
        <translation>サーバーでは何も変更されておらず、招待はまだ有効です。</translation>
    </message>
    <message>
        <source>Unlock or install a keyring, or choose the encrypted file in Settings, Providers; or put a password of your own into the variable {variable} each time before ChatDesk starts.</source>
        <translation>キーリングのロックを解除するかインストールするか、「設定」の「プロバイダー」で暗号化ファイルを選んでください。または、ChatDeskの起動前に毎回、自分のパスワードを変数{variable}に入れてください。</translation>
    </message>
    <message>
        <source>The password was given for {kept}, and the workspace is now at {server}: it was not sent there. If the server really moved, say so in Settings, Team sync, Address, or enter the password again.</source>
        <translation>パスワードは {kept} 用に入力されたものですが、ワークスペースは現在 {server} にあります：パスワードはそこへ送信されていません。サーバーが本当に移転した場合は、設定、チーム同期、アドレスで指定するか、パスワードを再入力してください。</translation>
    </message>
    <message>
        <source>The password was kept by an earlier ChatDesk, and the workspace is now at {server}: it was not sent there. If the server really moved, say so in Settings, Team sync, Address, or enter the password again.</source>
        <translation>パスワードは以前の ChatDesk が保存したものですが、ワークスペースは現在 {server} にあります：パスワードはそこへ送信されていません。サーバーが本当に移転した場合は、設定、チーム同期、アドレスで指定するか、パスワードを再入力してください。</translation>
    </message>
    <message>
        <source>The variable {variable} has a password, and nobody said on this computer that it is for {server}: it was not sent there. If it is, set {server_variable} to {named}, or enter the password.</source>
        <translation>変数{variable}にパスワードがありますが、{server}用だとこのコンピューターで指定されていないため、送信されませんでした。{server}用なら{server_variable}を{named}に設定するか、パスワードを入力してください。</translation>
    </message>
    <message>
        <source>This project is shared with another workspace already.</source>
        <translation>このプロジェクトはすでに別のワークスペースと共有されています。</translation>
    </message>
    <message>
        <source>Stop sharing it there first.</source>
        <translation>先にそちらの共有を停止してください。</translation>
    </message>
    <message>
        <source>Ask one of its owners.</source>
        <translation>所有者に依頼してください。</translation>
    </message>
    <message>
        <source>Update ChatDesk.</source>
        <translation>ChatDeskをアップデートしてください。</translation>
    </message>
    <message>
        <source>What others write comes up to half a minute late: the server&apos;s notifications do not arrive on this connection.</source>
        <translation>ほかの人が書いたものが最大30秒遅れて届きます。この接続ではサーバーの通知が届きません。</translation>
    </message>
    <message>
        <source>Use the server&apos;s direct address, or a pooler in session mode: Settings, Team sync, Address.</source>
        <translation>サーバーの直接のアドレスか、セッションモードのプーラーを使ってください:「設定」の「チーム同期」の「アドレス」。</translation>
    </message>
    <message>
        <source>The team&apos;s database needs a newer ChatDesk to write to it; what you write waits on this computer.</source>
        <translation>チームのデータベースへの書き込みには新しいChatDeskが必要です。書いたものはこのコンピューターで待機します。</translation>
    </message>
    <message>
        <source>The team&apos;s database needs a newer ChatDesk.</source>
        <translation>チームのデータベースには新しいChatDeskが必要です。</translation>
    </message>
    <message>
        <source>This computer&apos;s clock is {span} ahead of the team&apos;s. Nothing is lost by that.</source>
        <translation>このコンピューターの時計はチームの時計より{span}進んでいます。これで失われるものはありません。</translation>
    </message>
    <message>
        <source>This computer&apos;s clock is {span} behind the team&apos;s. Nothing is lost by that.</source>
        <translation>このコンピューターの時計はチームの時計より{span}遅れています。これで失われるものはありません。</translation>
    </message>
    <message>
        <source>a moment</source>
        <translation>わずか</translation>
    </message>
    <message>
        <source>The team&apos;s server did not take everything in time.</source>
        <translation>チームのサーバーが時間内にすべてを受け付けませんでした。</translation>
    </message>
    <message>
        <source>Check the user and the password.</source>
        <translation>ユーザーとパスワードを確認してください。</translation>
    </message>
    <message>
        <source>Check the host, and your network.</source>
        <translation>ホストとネットワークを確認してください。</translation>
    </message>
    <message>
        <source>Choose the certificate that whoever runs the server gives you. Nothing was sent.</source>
        <translation>サーバーの運営者から受け取った証明書を選んでください。何も送られていません。</translation>
    </message>
    <message>
        <source>Check again later. If it stays so, the server&apos;s max_connections is too small.</source>
        <translation>後でもう一度確認してください。変わらない場合、サーバーのmax_connectionsが小さすぎます。</translation>
    </message>
    <message>
        <source>Ask whoever runs the server for room, then check again.</source>
        <translation>サーバーの運営者に空き容量を依頼してから、もう一度確認してください。</translation>
    </message>
    <message>
        <source>Check host, port and network, and that the server runs; then check again.</source>
        <translation>ホスト、ポート、ネットワーク、サーバーが動いていることを確認してから、もう一度確認してください。</translation>
    </message>
    <message>
        <source>The server answers and takes the login.</source>
        <translation>サーバーが応答し、ログインを受け付けています。</translation>
    </message>
    <message>
        <source>create roles (CREATEROLE)</source>
        <translation>ロールの作成（CREATEROLE）</translation>
    </message>
    <message>
        <source>change the database, which belongs to another login</source>
        <translation>別のログインが所有するデータベースを変更すること</translation>
    </message>
    <message>
        <source>Version</source>
        <translation>バージョン</translation>
    </message>
    <message>
        <source>PostgreSQL {version} is too old. Use a server with 15 or newer.</source>
        <translation>PostgreSQL {version}は古すぎます。15以降のサーバーを使ってください。</translation>
    </message>
    <message>
        <source>PostgreSQL {version}.</source>
        <translation>PostgreSQL {version}。</translation>
    </message>
    <message>
        <source>The connection is encrypted (TLS).</source>
        <translation>接続は暗号化されています(TLS)。</translation>
    </message>
    <message>
        <source>Not encrypted: anybody on the way can read everything.</source>
        <translation>暗号化されていません。途中の誰でもすべてを読み取れます。</translation>
    </message>
    <message>
        <source>Empty database</source>
        <translation>空のデータベース</translation>
    </message>
    <message>
        <source>There is a workspace in this database already. Make a new database, or ask its owner for an invitation.</source>
        <translation>このデータベースにはすでにワークスペースがあります。新しいデータベースを作成するか、所有者に招待を依頼してください。</translation>
    </message>
    <message numerus="yes">
        <source>It is not empty: there are {count} tables and views in it. A workspace needs a database for itself; make a new one.</source>
        <comment>It is not empty: there is {count} table or view in it. A workspace needs a database for itself; make a new one.</comment>
        <translation>
            <numerusform>空ではありません。{count}個のテーブルやビューがあります。ワークスペースには専用のデータベースが必要です。新しく作成してください。</numerusform>
        </translation>
    </message>
    <message>
        <source>The database is empty.</source>
        <translation>データベースは空です。</translation>
    </message>
    <message>
        <source>Rights</source>
        <translation>権限</translation>
    </message>
    <message>
        <source>The login may not {lacks}. Use the one that owns the database, with CREATEROLE.</source>
        <translation>このログインには権限がありません: {lacks}。データベースを所有しCREATEROLEを持つものを使ってください。</translation>
    </message>
    <message>
        <source>{one} or {other}</source>
        <translation>{one}または{other}</translation>
    </message>
    <message>
        <source>The login owns the database and may create roles.</source>
        <translation>ログインはデータベースを所有し、ロールを作成できます。</translation>
    </message>
    <message>
        <source>Changes</source>
        <translation>変更</translation>
    </message>
    <message>
        <source>The server takes no changes: it is a standby, or read-only. Use its primary.</source>
        <translation>サーバーが変更を受け付けません。スタンバイか、読み取り専用です。プライマリを使ってください。</translation>
    </message>
    <message>
        <source>The database keeps text as {encoding}. Make one with UTF8.</source>
        <translation>データベースがテキストを{encoding}で保存しています。UTF8のものを作成してください。</translation>
    </message>
    <message>
        <source>The database takes changes, and text in every language.</source>
        <translation>データベースは変更と、あらゆる言語の文字を受け付けます。</translation>
    </message>
    <message>
        <source>Direct connection</source>
        <translation>直接接続</translation>
    </message>
    <message>
        <source>Notifications do not arrive: this seems to be a pooler. Use the server&apos;s direct port, or session pooling.</source>
        <translation>通知が届きません。プーラーのようです。サーバーの直接のポートか、セッションプーリングを使ってください。</translation>
    </message>
    <message>
        <source>Notifications arrive.</source>
        <translation>通知が届いています。</translation>
    </message>
    <message>
        <source>Connections</source>
        <translation>接続数</translation>
    </message>
    <message>
        <source>The server takes {most} connections; a computer needs up to three while ChatDesk runs.</source>
        <translation>サーバーが受け付ける接続は{most}です。ChatDeskの実行中、1台のコンピューターは最大3つ使います。</translation>
    </message>
    <message>
        <source>The server takes {most} connections, up to three for each computer.</source>
        <translation>サーバーが受け付ける接続は{most}で、コンピューター1台につき最大3つです。</translation>
    </message>
    <message>
        <source>[y/N]</source>
        <translation>[y/N]</translation>
    </message>
    <message>
        <source>y yes</source>
        <translation>y はい</translation>
    </message>
    <message>
        <source>Nobody can be asked here.</source>
        <translation>ここでは誰にも確認できません。</translation>
    </message>
    <message>
        <source>Add --yes.</source>
        <translation>--yesを付けてください。</translation>
    </message>
    <message>
        <source>The output could not be written: {strerror}.</source>
        <translation>出力を書き込めませんでした: {strerror}。</translation>
    </message>
    <message>
        <source>{megabytes} MB</source>
        <translation>{megabytes} MB</translation>
    </message>
    <message numerus="yes">
        <source>{count} bytes</source>
        <comment>{count} byte</comment>
        <translation>
            <numerusform>{count}バイト</numerusform>
        </translation>
    </message>
    <message>
        <source>{about} of {server} failed: {reason}</source>
        <translation>{server}の{about}が失敗しました: {reason}</translation>
    </message>
    <message>
        <source>“{tool}” of {server} was changed by its server after it was offered, so it was not run.</source>
        <translation>{server}の「{tool}」は提示後にサーバーによって変更されたため、実行されませんでした。</translation>
    </message>
    <message>
        <source>Ask again: you are shown it as it is now.</source>
        <translation>もう一度質問してください。現在の内容が表示されます。</translation>
    </message>
    <message>
        <source>Signing in to {server} failed: {reason}</source>
        <translation>{server}にサインインできませんでした: {reason}</translation>
    </message>
    <message>
        <source>It was ended.</source>
        <translation>終了しました。</translation>
    </message>
    <message>
        <source>{server} cannot be used: {reason}</source>
        <translation>{server}を使えません: {reason}</translation>
    </message>
    <message>
        <source>The process for tools could not be started.</source>
        <translation>ツール用のプロセスを起動できませんでした。</translation>
    </message>
    <message>
        <source>The process for tools ended.</source>
        <translation>ツール用のプロセスが終了しました。</translation>
    </message>
    <message>
        <source>The list of prompts</source>
        <translation>プロンプトの一覧</translation>
    </message>
    <message>
        <source>The list of resources</source>
        <translation>リソースの一覧</translation>
    </message>
    <message>
        <source>{about} of {name} is empty.</source>
        <translation>{name}の{about}が空です。</translation>
    </message>
    <message>
        <source>No tool server was found in this text.</source>
        <translation>このテキストにツールサーバーが見つかりませんでした。</translation>
    </message>
    <message>
        <source>Paste the whole block, from { to }.</source>
        <translation>{ から } までのブロック全体を貼り付けてください。</translation>
    </message>
    <message>
        <source>It is described with the older transport (SSE), which ChatDesk does not speak. Ask for its address for streamable HTTP, which often ends with /mcp.</source>
        <translation>古いトランスポート(SSE)で記述されており、ChatDeskは対応していません。streamable HTTP用のアドレス(多くは/mcpで終わります)を問い合わせてください。</translation>
    </message>
    <message>
        <source>This text is too long for a description of tool servers.</source>
        <translation>このテキストはツールサーバーの記述としては長すぎます。</translation>
    </message>
    <message>
        <source>This text is not valid JSON.</source>
        <translation>このテキストは有効なJSONではありません。</translation>
    </message>
    <message>
        <source>The permissions of tools could not be saved.</source>
        <translation>ツールの許可を保存できませんでした。</translation>
    </message>
    <message>
        <source>permissions of tools</source>
        <translation>ツールの許可</translation>
    </message>
    <message>
        <source>Install Node.js: https://nodejs.org (on Debian and Ubuntu: sudo apt install npm).</source>
        <translation>Node.jsをインストールしてください: https://nodejs.org(DebianとUbuntuの場合: sudo apt install npm)。</translation>
    </message>
    <message>
        <source>Install Node.js: https://nodejs.org (on Debian and Ubuntu: sudo apt install nodejs).</source>
        <translation>Node.jsをインストールしてください: https://nodejs.org(DebianとUbuntuの場合: sudo apt install nodejs)。</translation>
    </message>
    <message>
        <source>Install Bun: https://bun.sh.</source>
        <translation>Bunをインストールしてください: https://bun.sh。</translation>
    </message>
    <message>
        <source>Install Deno: https://deno.com.</source>
        <translation>Denoをインストールしてください: https://deno.com。</translation>
    </message>
    <message>
        <source>Install uv: pipx install uv (or see https://docs.astral.sh/uv).</source>
        <translation>uvをインストールしてください: pipx install uv(またはhttps://docs.astral.sh/uvを参照)。</translation>
    </message>
    <message>
        <source>Install pipx (on Debian and Ubuntu: sudo apt install pipx).</source>
        <translation>pipxをインストールしてください(DebianとUbuntuの場合: sudo apt install pipx)。</translation>
    </message>
    <message>
        <source>Install Docker: https://docs.docker.com/get-docker.</source>
        <translation>Dockerをインストールしてください: https://docs.docker.com/get-docker。</translation>
    </message>
    <message>
        <source>Install it, or give its whole path.</source>
        <translation>インストールするか、フルパスを指定してください。</translation>
    </message>
    <message>
        <source>The program “{name}” was not found.</source>
        <translation>プログラム「{name}」が見つかりませんでした。</translation>
    </message>
    <message>
        <source>There is no such folder.</source>
        <translation>そのフォルダーはありません。</translation>
    </message>
    <message>
        <source>Choose a folder that exists on this computer.</source>
        <translation>このコンピューターに存在するフォルダーを選んでください。</translation>
    </message>
    <message>
        <source>There is no folder {path}.</source>
        <translation>フォルダー{path}はありません。</translation>
    </message>
    <message>
        <source>ChatDesk keeps its own files in {each}, which models must not read.</source>
        <translation>ChatDeskは自身のファイルを{each}に保管しており、モデルに読ませることはできません。</translation>
    </message>
    <message>
        <source>Choose the folder of the project itself.</source>
        <translation>プロジェクト自体のフォルダーを選んでください。</translation>
    </message>
    <message>
        <source>“{label}” is missing.</source>
        <translation>「{label}」がありません。</translation>
    </message>
    <message>
        <source>“{label}” is not a whole number.</source>
        <translation>「{label}」は整数ではありません。</translation>
    </message>
    <message>
        <source>“{label}” is not a number.</source>
        <translation>「{label}」が数値ではありません。</translation>
    </message>
    <message>
        <source>“{label}” is at least {least}{unit}.</source>
        <translation>「{label}」は{least}{unit}以上です。</translation>
    </message>
    <message>
        <source>“{label}” is at most {most}{unit}.</source>
        <translation>「{label}」は{most}{unit}以下です。</translation>
    </message>
    <message>
        <source>an email address</source>
        <translation>メールアドレス</translation>
    </message>
    <message>
        <source>an address such as https://example.org</source>
        <translation>https://example.org のようなアドレス</translation>
    </message>
    <message>
        <source>a date such as 2026-11-24</source>
        <translation>2026-11-24 のような日付</translation>
    </message>
    <message>
        <source>a date and time such as 2026-11-24T09:30:00Z</source>
        <translation>2026-11-24T09:30:00Z のような日時</translation>
    </message>
    <message>
        <source>“{label}” is not {words}.</source>
        <translation>「{label}」が{words}ではありません。</translation>
    </message>
    <message>
        <source>This tool server cannot be used as it is.</source>
        <translation>このツールサーバーはこのままでは使えません。</translation>
    </message>
    <message>
        <source>Correct this and save again.</source>
        <translation>これを直して、もう一度保存してください。</translation>
    </message>
    <message>
        <source>The tool server has no name.</source>
        <translation>ツールサーバーに名前がありません。</translation>
    </message>
    <message>
        <source>The tool server has no command.</source>
        <translation>ツールサーバーにコマンドがありません。</translation>
    </message>
    <message>
        <source>The command has a character that no command can have.</source>
        <translation>コマンドに使えない文字が含まれています。</translation>
    </message>
    <message>
        <source>The address of a tool server begins with https:// or http://.</source>
        <translation>ツールサーバーのアドレスはhttps://またはhttp://で始まります。</translation>
    </message>
    <message>
        <source>Secrets are sent over https only: anybody on the way could read them.</source>
        <translation>シークレットはhttpsでのみ送られます。そうでないと途中の誰でも読み取れます。</translation>
    </message>
    <message>
        <source>The tool servers could not be saved.</source>
        <translation>ツールサーバーを保存できませんでした。</translation>
    </message>
    <message>
        <source>tool servers</source>
        <translation>ツールサーバー</translation>
    </message>
    <message numerus="yes">
        <source>{count} tool servers were left out: the entry in {file} cannot be used.</source>
        <comment>{count} tool server was left out: the entry in {file} cannot be used.</comment>
        <translation>
            <numerusform>{count}個のツールサーバーを除外しました。{file}の項目が使えません。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tool servers in this data directory may be from somebody else and stay off until you switch them on.</source>
        <comment>{count} tool server in this data directory may be from somebody else and stays off until you switch it on.</comment>
        <translation>
            <numerusform>このデータディレクトリの{count}個のツールサーバーはほかの人のものかもしれないため、オンにするまでオフのままです。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} other choices for tools in this data directory (a folder, a server of ChatDesk&apos;s own, the search engine) may be from somebody else and do not hold until you choose again.</source>
        <comment>{count} other choice for tools in this data directory (a folder, a server of ChatDesk&apos;s own, the search engine) may be from somebody else and does not hold until you choose again.</comment>
        <translation>
            <numerusform>このデータディレクトリにあるツールに関するほかの{count}件の選択(フォルダー、ChatDesk自身のサーバー、検索エンジン)は、ほかの人のものである可能性があり、選び直すまで無効です。</numerusform>
        </translation>
    </message>
    <message>
        <source>The file of tool servers was written by a newer ChatDesk.</source>
        <translation>ツールサーバーのファイルは新しいバージョンのChatDeskで書き込まれたものです。</translation>
    </message>
    <message>
        <source>What you set up for tools cannot be marked as yours, so the next start would not trust it.</source>
        <translation>ツールの設定を自分のものとして記録できないため、次回の起動時に信頼されません。</translation>
    </message>
    <message>
        <source>Unlock the keyring, or check your configuration directory, and try again.</source>
        <translation>キーリングのロックを解除するか、設定ディレクトリを確認して、もう一度試してください。</translation>
    </message>
    <message>
        <source>The file of tool servers {path} could not be written.</source>
        <translation>ツールサーバーのファイル{path}を書き込めませんでした。</translation>
    </message>
    <message>
        <source>There are {most_servers} tool servers already.</source>
        <translation>ツールサーバーがすでに{most_servers}台あります。</translation>
    </message>
    <message>
        <source>{name} comes with ChatDesk.</source>
        <translation>{name}はChatDeskに付属しています。</translation>
    </message>
    <message>
        <source>Switch it off instead.</source>
        <translation>代わりにオフにしてください。</translation>
    </message>
    <message>
        <source>The tool took too long.</source>
        <translation>ツールに時間がかかりすぎました。</translation>
    </message>
    <message>
        <source>The folder {folder} does not exist.</source>
        <translation>フォルダー{folder}は存在しません。</translation>
    </message>
    <message>
        <source>The value of {name} is missing.</source>
        <translation>{name}の値がありません。</translation>
    </message>
    <message>
        <source>Enter it in Settings, Tools.</source>
        <translation>「設定」の「ツール」で入力してください。</translation>
    </message>
    <message>
        <source>This server cannot be signed in to.</source>
        <translation>このサーバーにはサインインできません。</translation>
    </message>
    <message>
        <source>Sign in to servers over https.</source>
        <translation>サインインはhttpsのサーバーで行ってください。</translation>
    </message>
    <message>
        <source>Try again later.</source>
        <translation>後でもう一度試してください。</translation>
    </message>
    <message>
        <source>Check the address in Settings, Tools, or try again later.</source>
        <translation>「設定」の「ツール」でアドレスを確認するか、後でもう一度試してください。</translation>
    </message>
    <message>
        <source>The key of {label} is missing.</source>
        <translation>{label}のキーがありません。</translation>
    </message>
    <message>
        <source>{server} answered, but not as {label} does.</source>
        <translation>{server}は応答しましたが、{label}の応答ではありません。</translation>
    </message>
    <message>
        <source>SearXNG does not answer programs.</source>
        <translation>SearXNGがプログラムに応答しません。</translation>
    </message>
    <message>
        <source>Add json to search.formats in its settings.yml, or choose another.</source>
        <translation>そのsettings.ymlのsearch.formatsにjsonを追加するか、別のものを選んでください。</translation>
    </message>
    <message>
        <source>{label} does not take this key.</source>
        <translation>{label}がこのキーを受け付けません。</translation>
    </message>
    <message>
        <source>{label} takes no more searches for now.</source>
        <translation>{label}は今のところこれ以上検索を受け付けません。</translation>
    </message>
    <message>
        <source>Wait, or look at your plan there.</source>
        <translation>待つか、そちらのプランを確認してください。</translation>
    </message>
    <message>
        <source>{label} answered with {status}.</source>
        <translation>{label}が{status}を返しました。</translation>
    </message>
    <message>
        <source>The web could not be searched.</source>
        <translation>Webを検索できませんでした。</translation>
    </message>
    <message>
        <source>Not encrypted: others on the network could read what is searched for.</source>
        <translation>暗号化されていません。ネットワーク上のほかの人に検索内容を読まれる可能性があります。</translation>
    </message>
    <message>
        <source>The web cannot be searched like this.</source>
        <translation>この状態ではWebを検索できません。</translation>
    </message>
    <message>
        <source>{label} wants a key.</source>
        <translation>{label}にはキーが必要です。</translation>
    </message>
    <message>
        <source>Choose one in Settings, Tools.</source>
        <translation>「設定」の「ツール」で選んでください。</translation>
    </message>
    <message>
        <source>There is nothing to search for.</source>
        <translation>検索する内容がありません。</translation>
    </message>
    <message>
        <source>It found no page about {tried_with}.</source>
        <translation>{tried_with}に関するページは見つかりませんでした。</translation>
    </message>
    <message>
        <source>The address of SearXNG is one like https://searx.example.org.</source>
        <translation>SearXNGのアドレスはhttps://searx.example.orgのような形です。</translation>
    </message>
    <message>
        <source>The export ended unexpectedly.</source>
        <translation>エクスポートが予期せず終了しました。</translation>
    </message>
    <message>
        <source>Try again, or another format.</source>
        <translation>もう一度試すか、別の形式を選んでください。</translation>
    </message>
    <message>
        <source>The pages were not finished in time.</source>
        <translation>ページが時間内に完成しませんでした。</translation>
    </message>
    <message>
        <source>Export as HTML and print that.</source>
        <translation>HTMLでエクスポートして、それを印刷してください。</translation>
    </message>
    <message>
        <source>The PDF could not be made: {reason}.</source>
        <translation>PDFを作成できませんでした: {reason}。</translation>
    </message>
    <message>
        <source>This file contains more chats than can be read at once.</source>
        <translation>このファイルには一度に読み込める数を超えるチャットがあります。</translation>
    </message>
    <message>
        <source>The CSV file is cut off or damaged.</source>
        <translation>CSVファイルが途切れているか破損しています。</translation>
    </message>
    <message>
        <source>Export the chats again, then import that file.</source>
        <translation>チャットをもう一度エクスポートしてから、そのファイルをインポートしてください。</translation>
    </message>
    <message>
        <source>There is not enough room on the disk to open the zip files in this one.</source>
        <translation>この中のzipファイルを開くのに十分な空きがディスクにありません。</translation>
    </message>
    <message>
        <source>Make room, or unpack it and import the zip file of the conversations alone.</source>
        <translation>空きを増やすか、展開して会話のzipファイルだけをインポートしてください。</translation>
    </message>
    <message>
        <source>The zip file is damaged or not complete.</source>
        <translation>zipファイルが破損しているか不完全です。</translation>
    </message>
    <message>
        <source>Download the export again, then import it.</source>
        <translation>エクスポートをもう一度ダウンロードしてからインポートしてください。</translation>
    </message>
    <message>
        <source>The zip file claims more files than an export has.</source>
        <translation>zipファイルに、エクスポートとしては多すぎるファイルがあることになっています。</translation>
    </message>
    <message>
        <source>The zip file is protected by a password.</source>
        <translation>zipファイルがパスワードで保護されています。</translation>
    </message>
    <message>
        <source>Unpack it, then import the JSON file in it.</source>
        <translation>展開してから、中のJSONファイルをインポートしてください。</translation>
    </message>
    <message>
        <source>The zip file is packed in a way that exports are not.</source>
        <translation>zipファイルの圧縮方法がエクスポートのものではありません。</translation>
    </message>
    <message>
        <source>The zip file unpacks to far more than an export holds, so it was not opened.</source>
        <translation>zipファイルを展開するとエクスポートの内容をはるかに超えるため、開きませんでした。</translation>
    </message>
    <message>
        <source>This file was written by a newer ChatDesk (format version {version}).</source>
        <translation>このファイルは新しいバージョンのChatDeskで書き出されたものです(形式バージョン{version})。</translation>
    </message>
    <message>
        <source>Update ChatDesk, then import it.</source>
        <translation>ChatDeskをアップデートしてからインポートしてください。</translation>
    </message>
    <message>
        <source>This backup contains more text than can be read at once.</source>
        <translation>このバックアップには一度に読み込める量を超えるテキストがあります。</translation>
    </message>
    <message>
        <source>The answer failed.</source>
        <translation>回答に失敗しました。</translation>
    </message>
    <message>
        <source>Entry {number}</source>
        <translation>項目{number}</translation>
    </message>
    <message>
        <source>It contains no messages.</source>
        <translation>メッセージがありません。</translation>
    </message>
    <message>
        <source>Entry {number} of {name}</source>
        <translation>{name}の項目{number}</translation>
    </message>
    <message>
        <source>“{key}” of {name}</source>
        <translation>{name}の「{key}」</translation>
    </message>
    <message>
        <source>Nothing after it could be read.</source>
        <translation>それより後は読み込めませんでした。</translation>
    </message>
    <message>
        <source>The file is damaged or not complete.</source>
        <translation>ファイルが破損しているか不完全です。</translation>
    </message>
    <message>
        <source>The rest of the file could not be read.</source>
        <translation>ファイルの残りを読み込めませんでした。</translation>
    </message>
    <message>
        <source>This file is one conversation that is larger than any export holds.</source>
        <translation>このファイルは、どのエクスポートよりも大きい1つの会話です。</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads were here already.</source>
        <comment>{count} thread was here already.</comment>
        <translation>
            <numerusform>{count}件のスレッドはすでにありました。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads were in the trash and left there.</source>
        <comment>{count} thread was in the trash and left there.</comment>
        <translation>
            <numerusform>{count}件のスレッドはゴミ箱にあったため、そのままにしました。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads were deleted for good before and left out.</source>
        <comment>{count} thread was deleted for good before and left out.</comment>
        <translation>
            <numerusform>{count}件のスレッドは以前に完全に削除されたため、除外しました。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} entries were skipped.</source>
        <comment>{count} entry was skipped.</comment>
        <translation>
            <numerusform>{count}件の項目をスキップしました。</numerusform>
        </translation>
    </message>
    <message>
        <source>There was nothing to import.</source>
        <translation>インポートするものがありませんでした。</translation>
    </message>
    <message>
        <source>The import was stopped. Import the same file again to continue.</source>
        <translation>インポートを停止しました。同じファイルをもう一度インポートすると続きから始まります。</translation>
    </message>
    <message numerus="yes">
        <source>{count} new threads</source>
        <comment>{count} new thread</comment>
        <translation>
            <numerusform>新しい{count}件のスレッド</numerusform>
        </translation>
    </message>
    <message>
        <source>Would import {threads} with {messages}.</source>
        <translation>{threads}({messages})がインポートされます。</translation>
    </message>
    <message>
        <source>Imported {threads} with {messages}.</source>
        <translation>{threads}({messages})をインポートしました。</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads with new messages</source>
        <comment>{count} thread with new messages</comment>
        <translation>
            <numerusform>新しいメッセージのある{count}件のスレッド</numerusform>
        </translation>
    </message>
    <message>
        <source>Would import {threads} and {grown}, {messages} in all.</source>
        <translation>{threads}と{grown}、合計{messages}がインポートされます。</translation>
    </message>
    <message>
        <source>Imported {threads} and {grown}, {messages} in all.</source>
        <translation>{threads}と{grown}、合計{messages}をインポートしました。</translation>
    </message>
    <message numerus="yes">
        <source>{count} files that messages name are not in the export.</source>
        <comment>{count} file that messages name is not in the export.</comment>
        <translation>
            <numerusform>メッセージに名前のある{count}個のファイルがエクスポートに含まれていません。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages that the vendor hides were left out.</source>
        <comment>{count} message that the vendor hides was left out.</comment>
        <translation>
            <numerusform>提供元が非表示にしている{count}件のメッセージを除外しました。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} marks of sources that the export does not name were left out.</source>
        <comment>{count} mark of a source that the export does not name was left out.</comment>
        <translation>
            <numerusform>エクスポートに出典の情報がない{count}件の出典記号を省きました。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The export contains {count} memories.</source>
        <comment>The export contains {count} memory.</comment>
        <translation>
            <numerusform>エクスポートには{count}件のメモリーがあります。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} more are beyond the most that ChatDesk keeps.</source>
        <comment>{count} more is beyond the most that ChatDesk keeps.</comment>
        <translation>
            <numerusform>ほかに{count}件ありますが、ChatDeskが保存できる上限を超えています。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} of them are remembered now.</source>
        <comment>{count} of them is remembered now.</comment>
        <translation>
            <numerusform>そのうち{count}件を記憶しました。</numerusform>
        </translation>
    </message>
    <message>
        <source>None was taken: memories are kept only where you choose them.</source>
        <translation>取り込まれたものはありません。メモリーは、選んだ場合にだけ保存されます。</translation>
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
        <translation>{outcome}: {title} ({messages}、{reason})</translation>
    </message>
    <message>
        <source>{outcome}: {title} ({messages})</source>
        <translation>{outcome}: {title} ({messages})</translation>
    </message>
    <message>
        <source>It is in the trash. Restore it and import again to have what is new.</source>
        <translation>ゴミ箱にあります。復元してもう一度インポートすると、新しい内容が入ります。</translation>
    </message>
    <message>
        <source>It was deleted for good.</source>
        <translation>完全に削除されています。</translation>
    </message>
    <message>
        <source>An import is running already.</source>
        <translation>すでにインポートを実行中です。</translation>
    </message>
    <message>
        <source>Some characters could not be read and are shown as �.</source>
        <translation>一部の文字を読み取れず、�になっています。</translation>
    </message>
    <message>
        <source>The virus scanner found something in this file, so it was kept out.</source>
        <translation>ウイルススキャナーがこのファイルから何かを検出したため、受け付けませんでした。</translation>
    </message>
    <message numerus="yes">
        <source>{count} prompts were imported, too.</source>
        <comment>{count} prompt was imported, too.</comment>
        <translation>
            <numerusform>{count}個のプロンプトもインポートしました。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} drafts were imported, too.</source>
        <comment>{count} draft was imported, too.</comment>
        <translation>
            <numerusform>{count}個の下書きもインポートしました。</numerusform>
        </translation>
    </message>
    <message>
        <source>What was imported so far is complete. Import the same file again to continue.</source>
        <translation>ここまでにインポートしたものは完全です。同じファイルをもう一度インポートすると続きから始まります。</translation>
    </message>
    <message>
        <source>{name} is not a file.</source>
        <translation>{name}はファイルではありません。</translation>
    </message>
    <message>
        <source>Choose the export itself.</source>
        <translation>エクスポート自体を選んでください。</translation>
    </message>
    <message>
        <source>This backup contains Cherry Studio&apos;s database as it is, which ChatDesk cannot read.</source>
        <translation>このバックアップにはCherry Studioのデータベースがそのまま入っており、ChatDeskでは読み込めません。</translation>
    </message>
    <message>
        <source>In Cherry Studio open Settings, Data Settings, Export to Phone, and export to a file.</source>
        <translation>Cherry StudioでSettings、Data Settings、Export to Phoneを開き、ファイルにエクスポートしてください。</translation>
    </message>
    <message>
        <source>This is a page to be read, not the data of an export.</source>
        <translation>これは読むためのページで、エクスポートのデータではありません。</translation>
    </message>
    <message>
        <source>Choose the zip file of the export as it came. If it contains only pages, ask for it again with JSON as its format: Google Takeout has a choice for that.</source>
        <translation>エクスポートのzipファイルを届いたまま選んでください。ページしか入っていない場合は、形式をJSONにしてもう一度依頼してください。Google Takeoutでは形式を選べます。</translation>
    </message>
    <message>
        <source>Choose an export of one of these programs: {programs}.</source>
        <translation>次のいずれかのプログラムのエクスポートを選んでください: {programs}。</translation>
    </message>
    <message>
        <source>There is nothing in this folder that ChatDesk can import.</source>
        <translation>このフォルダーにChatDeskがインポートできるものはありません。</translation>
    </message>
    <message>
        <source>There is nothing in this file that ChatDesk can import.</source>
        <translation>このファイルにChatDeskがインポートできるものはありません。</translation>
    </message>
    <message>
        <source>This file is not an export that ChatDesk knows.</source>
        <translation>このファイルはChatDeskが対応しているエクスポートではありません。</translation>
    </message>
    <message>
        <source>{name} is cut off: its end is missing.</source>
        <translation>{name}が途切れています。末尾がありません。</translation>
    </message>
    <message>
        <source>{name} could not be read: {reason}.</source>
        <translation>{name}を読み込めませんでした: {reason}。</translation>
    </message>
    <message>
        <source>Check the file.</source>
        <translation>ファイルを確認してください。</translation>
    </message>
    <message>
        <source>This folder contains far more files than a program&apos;s chats would have.</source>
        <translation>このフォルダーには、プログラムのチャットよりはるかに多くのファイルがあります。</translation>
    </message>
    <message>
        <source>Choose the folder of the chats.</source>
        <translation>チャットのフォルダーを選んでください。</translation>
    </message>
    <message>
        <source>The page of releases does not say which version is the newest.</source>
        <translation>リリースのページに最新バージョンが書かれていません。</translation>
    </message>
    <message>
        <source>Installed from a package: the updates of this computer bring new versions, such as “apt upgrade”.</source>
        <translation>パッケージからインストール済み: 「apt upgrade」など、このコンピューターのアップデートで新しいバージョンになります。</translation>
    </message>
    <message>
        <source>Installed as a Flatpak: the updates of this computer bring new versions, or “flatpak update”.</source>
        <translation>Flatpakとしてインストール済み: このコンピューターのアップデートか「flatpak update」で新しいバージョンになります。</translation>
    </message>
    <message>
        <source>Installed as a snap: the system brings new versions by itself.</source>
        <translation>snapとしてインストール済み: システムが自動的に新しいバージョンにします。</translation>
    </message>
    <message>
        <source>Installed with pipx: “pipx upgrade chatdesk” brings a new version.</source>
        <translation>pipxでインストール済み: 「pipx upgrade chatdesk」で新しいバージョンになります。</translation>
    </message>
    <message>
        <source>Installed with pip: “pip install --upgrade chatdesk” brings a new version.</source>
        <translation>pipでインストール済み: 「pip install --upgrade chatdesk」で新しいバージョンになります。</translation>
    </message>
    <message>
        <source>A checkout: “git pull” brings a new version.</source>
        <translation>チェックアウト: 「git pull」で新しいバージョンになります。</translation>
    </message>
    <message>
        <source>The portable program: start a newer .run file once to put a new version in its place.</source>
        <translation>ポータブル版: 新しい.runファイルを一度実行すると、新しいバージョンに置き換わります。</translation>
    </message>
    <message>
        <source>This copy does not update itself: unpack a newer one in its place.</source>
        <translation>このコピーは自動では更新されません。新しいものを同じ場所に展開してください。</translation>
    </message>
    <message>
        <source>January</source>
        <translation>1月</translation>
    </message>
    <message>
        <source>February</source>
        <translation>2月</translation>
    </message>
    <message>
        <source>March</source>
        <translation>3月</translation>
    </message>
    <message>
        <source>April</source>
        <translation>4月</translation>
    </message>
    <message>
        <source>May</source>
        <translation>5月</translation>
    </message>
    <message>
        <source>June</source>
        <translation>6月</translation>
    </message>
    <message>
        <source>July</source>
        <translation>7月</translation>
    </message>
    <message>
        <source>August</source>
        <translation>8月</translation>
    </message>
    <message>
        <source>September</source>
        <translation>9月</translation>
    </message>
    <message>
        <source>October</source>
        <translation>10月</translation>
    </message>
    <message>
        <source>November</source>
        <translation>11月</translation>
    </message>
    <message>
        <source>December</source>
        <translation>12月</translation>
    </message>
    <message>
        <source>There may be {most_limits} limits, one of a kind for each period.</source>
        <translation>上限は最大{most_limits}件で、期間ごとに各種類1件です。</translation>
    </message>
    <message>
        <source>The old limits hold on.</source>
        <translation>以前の上限が引き続き有効です。</translation>
    </message>
    <message>
        <source>Remove one of them.</source>
        <translation>いずれかを削除してください。</translation>
    </message>
    <message>
        <source>The warning at {amount} {name} is passed: with this question it is about {spent}.</source>
        <translation>{name}の警告額{amount}を超えます。この質問を含めて約{spent}です。</translation>
    </message>
    <message>
        <source>Nothing is sent beyond {amount}.</source>
        <translation>{amount}を超えると何も送られません。</translation>
    </message>
    <message>
        <source>Titles and summaries wait.</source>
        <translation>タイトルと要約は待機します。</translation>
    </message>
    <message>
        <source>A limit must be a number from 0 on.</source>
        <translation>上限は0以上の数でなければなりません。</translation>
    </message>
    <message>
        <source>Correct the number.</source>
        <translation>数を修正してください。</translation>
    </message>
    <message>
        <source>The warning {name} is above its stop.</source>
        <translation>警告「{name}」が停止の値を上回っています。</translation>
    </message>
    <message>
        <source>The limit starts again {end}. Raise it, or send this question anyway.</source>
        <translation>上限は{end}に新しく始まります。上限を上げるか、この質問をそのまま送ってください。</translation>
    </message>
    <message>
        <source>Give the warning a smaller number.</source>
        <translation>警告の数を小さくしてください。</translation>
    </message>
    <message>
        <source>tomorrow</source>
        <translation>明日</translation>
    </message>
    <message>
        <source>on {day} {month}</source>
        <translation>{month}{day}日</translation>
    </message>
    <message>
        <source>The limit of {amount} {name} is reached: {spent} are used.</source>
        <translation>{name}の上限{amount}に達しました。使用済み{spent}。</translation>
    </message>
    <message>
        <source>The limit of {amount} {name} is reached: {spent} are used and this question needs about {needed}.</source>
        <translation>{name}の上限{amount}に達しました。使用済みは{spent}で、この質問には約{needed}必要です。</translation>
    </message>
    <message>
        <source>I am the **demo model** that comes with ChatDesk. I cannot work on this, but a model that you connect can.</source>
        <translation>私は ChatDesk に付属の**デモモデル**です。この質問には取り組めませんが、接続したモデルならできます。</translation>
    </message>
    <message>
        <source>This is where a real model would answer. I am the **demo model**: I need no network, and I know nothing.</source>
        <translation>ここでは本物のモデルが答えます。私は**デモモデル**です。ネットワークは不要ですが、何も知りません。</translation>
    </message>
    <message>
        <source>A good question for a real model! I am the **demo model** and can only show what ChatDesk does.</source>
        <translation>本物のモデルにぴったりの質問です！私は**デモモデル**で、ChatDesk の機能をお見せすることしかできません。</translation>
    </message>
    <message>
        <source>I am the **demo model** and cannot work on this. Here is how ChatDesk shows such an answer:</source>
        <translation>私は**デモモデル**なので、この質問には取り組めません。ChatDesk ではこのような回答が次のように表示されます:</translation>
    </message>
    <message>
        <source>A real model would answer here. This is what its answer could look like:</source>
        <translation>ここでは本物のモデルが答えます。回答は次のようになるでしょう:</translation>
    </message>
    <message>
        <source>I know nothing, but I can show you how such an answer looks in ChatDesk:</source>
        <translation>私は何も知りませんが、このような回答が ChatDesk でどう見えるかをお見せできます:</translation>
    </message>
    <message>
        <source>This was the **demo model**, which comes with ChatDesk. To get real answers choose *Add provider…* in the list of models at the top. `/demo` lists what else I can show.</source>
        <translation>以上、ChatDesk に付属の**デモモデル**でした。本物の回答を得るには、上のモデル一覧で「プロバイダーを追加…」を選んでください。ほかにお見せできるものは `/demo` で確認できます。</translation>
    </message>
    <message>
        <source>Hello!</source>
        <translation>こんにちは！</translation>
    </message>
    <message>
        <source>Try one of these with me:</source>
        <translation>次のどれかを試してみてください:</translation>
    </message>
    <message>
        <source>To get real answers choose *Add provider…* in the list of models at the top.</source>
        <translation>本物の回答を得るには、上のモデル一覧で「プロバイダーを追加…」を選んでください。</translation>
    </message>
    <message>
        <source>Ask for</source>
        <translation>入力する言葉</translation>
    </message>
    <message>
        <source>and see</source>
        <translation>見られるもの</translation>
    </message>
    <message>
        <source>*a tour*</source>
        <translation>*ツアー*</translation>
    </message>
    <message>
        <source>what ChatDesk can do</source>
        <translation>ChatDesk でできること</translation>
    </message>
    <message>
        <source>*code*, *a table*, *a formula*, *a plan*</source>
        <translation>*コード*、*表*、*数式*、*計画*</translation>
    </message>
    <message>
        <source>how an answer is drawn</source>
        <translation>回答の表示のされ方</translation>
    </message>
    <message>
        <source>a long answer, to scroll and to stop</source>
        <translation>長い回答（スクロールや停止を試せます）</translation>
    </message>
    <message>
        <source>what happens when a connection breaks</source>
        <translation>接続が切れたときの動作</translation>
    </message>
    <message>
        <source>everything else</source>
        <translation>そのほかすべて</translation>
    </message>
    <message>
        <source>I am the **demo model**. I come with ChatDesk, need no network and no account, and know nothing; but I can show you what ChatDesk does with the answers of a real model.</source>
        <translation>私は**デモモデル**です。ChatDesk に付属し、ネットワークもアカウントも不要で、何も知りません。それでも、ChatDesk が本物のモデルの回答をどう扱うかをお見せできます。</translation>
    </message>
    <message>
        <source>What you can do</source>
        <translation>できること</translation>
    </message>
    <message>
        <source>How</source>
        <translation>方法</translation>
    </message>
    <message>
        <source>Ask again, or another model</source>
        <translation>もう一度、または別のモデルに質問する</translation>
    </message>
    <message>
        <source>the buttons below an answer, or Ctrl+R</source>
        <translation>回答の下のボタン、または Ctrl+R</translation>
    </message>
    <message>
        <source>Change a question</source>
        <translation>質問を変更する</translation>
    </message>
    <message>
        <source>its pencil; the old version stays</source>
        <translation>鉛筆ボタン。元のバージョンは残ります</translation>
    </message>
    <message>
        <source>Try another direction</source>
        <translation>別の方向を試す</translation>
    </message>
    <message>
        <source>*Branch* in the menu of a message</source>
        <translation>メッセージのメニューの「新しいスレッドにブランチ」</translation>
    </message>
    <message>
        <source>Ask several models at once</source>
        <translation>複数のモデルに同時に質問する</translation>
    </message>
    <message>
        <source>*Compare models…* in the list of models</source>
        <translation>モデル一覧の「モデルを比較…」</translation>
    </message>
    <message>
        <source>Attach a file or a picture</source>
        <translation>ファイルや画像を添付する</translation>
    </message>
    <message>
        <source>drop it on the window, or paste it</source>
        <translation>ウィンドウにドロップするか、貼り付ける</translation>
    </message>
    <message>
        <source>Stop an answer</source>
        <translation>回答を停止する</translation>
    </message>
    <message>
        <source>Esc</source>
        <translation>Esc</translation>
    </message>
    <message>
        <source>**Ctrl+K** finds every word of every thread, **Ctrl+Shift+P** every command, and **F1** opens the help.</source>
        <translation>**Ctrl+K** はすべてのスレッドのすべての言葉、**Ctrl+Shift+P** はすべてのコマンドを探し、**F1** はヘルプを開きます。</translation>
    </message>
    <message>
        <source>Projects, tags, pins and an archive keep order; what was deleted waits in the trash.</source>
        <translation>プロジェクト、タグ、ピン留め、アーカイブで整理できます。削除したものはゴミ箱で待っています。</translation>
    </message>
    <message>
        <source>Everything is on this computer. *Import…* takes over what you have in ChatGPT, Claude and others.</source>
        <translation>すべてこのコンピューターにあります。「インポート…」で ChatGPT、Claude などのデータを取り込めます。</translation>
    </message>
    <message>
        <source>The window closes at any time: no word is lost, and an answer can be continued.</source>
        <translation>ウィンドウはいつでも閉じられます。言葉は失われず、回答は続けられます。</translation>
    </message>
    <message>
        <source>Choose *Add provider…* in the list of models at the top, and paste a key.</source>
        <translation>上のモデル一覧で「プロバイダーを追加…」を選び、キーを貼り付けてください。</translation>
    </message>
    <message>
        <source>Or start a server on this computer, such as Ollama: it is found by itself.</source>
        <translation>または、このコンピューターで Ollama などのサーバーを起動してください。自動的に見つかります。</translation>
    </message>
    <message>
        <source>Type `/demo` to see what else I can show.</source>
        <translation>`/demo` と入力すると、ほかにお見せできるものがわかります。</translation>
    </message>
    <message>
        <source>Answers</source>
        <translation>回答</translation>
    </message>
    <message>
        <source>Code has colours, a button to copy it, and scrolls on its own:</source>
        <translation>コードには色とコピーボタンが付き、単独でスクロールします:</translation>
    </message>
    <message>
        <source>Formulas are drawn, {formula}, and tables are tables:</source>
        <translation>数式は描画され（{formula}）、表は表として表示されます:</translation>
    </message>
    <message>
        <source>Your threads</source>
        <translation>あなたのスレッド</translation>
    </message>
    <message>
        <source>Next</source>
        <comment>steps</comment>
        <translation>次の一歩</translation>
    </message>
    <message>
        <source>Tools</source>
        <translation>ツール</translation>
    </message>
    <message>
        <source>Embeddings</source>
        <translation>埋め込み</translation>
    </message>
    <message>
        <source>Week of {words}</source>
        <translation>{words}の週</translation>
    </message>
    <message>
        <source>The server&apos;s own model</source>
        <translation>サーバーのモデル</translation>
    </message>
    <message>
        <source>A project that is gone</source>
        <translation>なくなったプロジェクト</translation>
    </message>
    <message>
        <source>No project</source>
        <translation>プロジェクトなし</translation>
    </message>
    <message>
        <source>There is no such token.</source>
        <translation>そのトークンはありません。</translation>
    </message>
    <message>
        <source>&apos;chatdesk tokens list&apos; shows them all.</source>
        <translation>&apos;chatdesk tokens list&apos;ですべて表示できます。</translation>
    </message>
    <message>
        <source>A token needs a name.</source>
        <translation>トークンには名前が必要です。</translation>
    </message>
    <message>
        <source>Give it the name of the program that will use it.</source>
        <translation>使用するプログラムの名前を付けてください。</translation>
    </message>
    <message>
        <source>There is already a token called “{name}”.</source>
        <translation>「{name}」というトークンはすでにあります。</translation>
    </message>
    <message>
        <source>The folder of the tokens, {folder}, cannot be written to: {reason}.</source>
        <translation>トークンのフォルダー{folder}に書き込めません: {reason}。</translation>
    </message>
    <message>
        <source>Make it writable; on Linux XDG_STATE_HOME may name another place, here and for the service.</source>
        <translation>書き込めるようにしてください。Linuxでは、ここでもサービスでも、XDG_STATE_HOMEで別の場所を指定できます。</translation>
    </message>
    <message>
        <source>owner</source>
        <comment>data directory</comment>
        <translation>使用中のプロセス</translation>
    </message>
    <message>
        <source>complete</source>
        <translation>完了</translation>
    </message>
    <message>
        <source>database</source>
        <translation>データベース</translation>
    </message>
    <message>
        <source>settings</source>
        <translation>設定</translation>
    </message>
    <message>
        <source>valid</source>
        <translation>有効</translation>
    </message>
    <message>
        <source>{key} (on, {until})</source>
        <translation>{key}（オン、{until}）</translation>
    </message>
    <message>
        <source>{key} (off, {until})</source>
        <translation>{key}（オフ、{until}）</translation>
    </message>
    <message>
        <source>valid; tried out until the day given: {trials}</source>
        <translation>有効。記載の日まで試用中: {trials}</translation>
    </message>
    <message>
        <source>{path} (made when the first thread is)</source>
        <translation>{path}（最初のスレッドと同時に作られます）</translation>
    </message>
    <message>
        <source>Restore a backup (&apos;chatdesk restore --list&apos;; they are in {backup_dir}), or copy out what reads with &apos;chatdesk doctor --repair&apos;.</source>
        <translation>バックアップを復元するか(&apos;chatdesk restore --list&apos;。{backup_dir}にあります)、&apos;chatdesk doctor --repair&apos;で読めるものをコピーしてください。</translation>
    </message>
    <message>
        <source>&apos;chatdesk doctor --repair&apos; repairs it.</source>
        <translation>&apos;chatdesk doctor --repair&apos;で修復できます。</translation>
    </message>
    <message numerus="yes">
        <source>{path} is damaged ({count} findings: {first}).</source>
        <comment>{path} is damaged ({count} finding: {first}).</comment>
        <translation>
            <numerusform>{path}は破損しています（{count}件: {first}）。</numerusform>
        </translation>
    </message>
    <message>
        <source>{path} is sound; schema {schema}, SQLite {sqlite}</source>
        <translation>{path}は正常です。スキーマ{schema}、SQLite {sqlite}</translation>
    </message>
    <message>
        <source>database opening</source>
        <translation>データベースを開く</translation>
    </message>
    <message>
        <source>database writing</source>
        <translation>データベースへの書き込み</translation>
    </message>
    <message>
        <source>workspace {name}</source>
        <translation>ワークスペース{name}</translation>
    </message>
    <message>
        <source>{database} on {host}; parked: this profile was restored or repaired, or a copy of it is in use; Connect again in Settings, Team sync, or &apos;chatdesk team join&apos; connects</source>
        <translation>{host} 上の {database}。休止中：このプロファイルは復元または修復されたか、そのコピーが使われています。設定のチーム同期の「再接続」、または &apos;chatdesk team join&apos; で接続します</translation>
    </message>
    <message>
        <source>{shared} shared, {waiting} waiting to be sent, {refused} refused</source>
        <translation>共有{shared}件、送信待ち{waiting}件、拒否{refused}件</translation>
    </message>
    <message>
        <source>nothing was synced yet</source>
        <translation>まだ何も同期されていません</translation>
    </message>
    <message>
        <source>newest line of its log, {at}: {problem}</source>
        <translation>最新のログ、{at}: {problem}</translation>
    </message>
    <message>
        <source>newest line of its log, {at}: {sent} sent, {received} received</source>
        <translation>最新のログ、{at}: 送信{sent}件、受信{received}件</translation>
    </message>
    <message>
        <source>Details in the line below the threads says why, copies out, and tries again</source>
        <translation>スレッドの下の行の「詳細…」で理由の確認、コピー、再試行ができます</translation>
    </message>
    <message>
        <source>{let_in} shared with you again; choose Share… to send their copies</source>
        <translation>{let_in}件が再び共有されています。コピーを送るには「共有…」を選びます</translation>
    </message>
    <message>
        <source>{first}; {rest}</source>
        <translation>{first}；{rest}</translation>
    </message>
    <message>
        <source>provider {name}</source>
        <translation>プロバイダー{name}</translation>
    </message>
    <message>
        <source>file of providers</source>
        <translation>プロバイダーのファイル</translation>
    </message>
    <message>
        <source>there is none yet</source>
        <translation>まだありません</translation>
    </message>
    <message>
        <source>A backup in {backup_dir} may still have the original.</source>
        <translation>{backup_dir}のバックアップに以前の状態があるかもしれません。</translation>
    </message>
    <message>
        <source>no window is open and no other command is running</source>
        <translation>開いているウィンドウも実行中のコマンドもありません</translation>
    </message>
    <message>
        <source>a window</source>
        <translation>ウィンドウ</translation>
    </message>
    <message>
        <source>{name}, process {pid}</source>
        <translation>{name}、プロセス{pid}</translation>
    </message>
    <message>
        <source>{who}, does not answer. If it hangs, end it.</source>
        <translation>{who}が応答しません。固まっている場合は終了させてください。</translation>
    </message>
    <message>
        <source>{count} {status}</source>
        <translation>{status}{count}件</translation>
    </message>
    <message>
        <source>{who}, open for {minutes} min; {late} ms late at most; answers: {answers}; {waiting} waiting.</source>
        <translation>{who}、稼働{minutes}分、遅れは最大{late}ミリ秒、回答: {answers}、待機中{waiting}件。</translation>
    </message>
    <message>
        <source>Its database cannot be read ({reason}).</source>
        <translation>データベースを読み取れません({reason})。</translation>
    </message>
    <message>
        <source>the last write failed</source>
        <translation>最後の書き込みに失敗しました</translation>
    </message>
    <message>
        <source>It cannot save ({reason}).</source>
        <translation>保存できません({reason})。</translation>
    </message>
    <message>
        <source>It reacts late.</source>
        <translation>反応が遅れています。</translation>
    </message>
    <message>
        <source>Provider {id} cannot be reached.</source>
        <translation>プロバイダー{id}に接続できません。</translation>
    </message>
    <message>
        <source>Workspace {workspace}: {reason}.</source>
        <translation>ワークスペース{workspace}: {reason}。</translation>
    </message>
    <message>
        <source>keyring</source>
        <translation>キーリング</translation>
    </message>
    <message>
        <source>{detail} Keys come from variables or an encrypted file, or hold for one run.</source>
        <translation>{detail} キーは変数か暗号化ファイルから取得するか、今回の実行の間だけ有効です。</translation>
    </message>
    <message>
        <source>{missing} missing or damaged: token counts are estimates.</source>
        <translation>{missing}がないか破損しています。トークン数は推定値です。</translation>
    </message>
    <message>
        <source>token encodings</source>
        <translation>トークンのエンコーディング</translation>
    </message>
    <message>
        <source>both here and intact</source>
        <translation>両方とも揃っていて正常です</translation>
    </message>
    <message>
        <source>updates</source>
        <translation>アップデート</translation>
    </message>
    <message>
        <source>Another process has this data directory open.</source>
        <translation>別のプロセスがこのデータディレクトリを開いています。</translation>
    </message>
    <message>
        <source>Restore in its window.</source>
        <translation>そのウィンドウで復元してください。</translation>
    </message>
    <message>
        <source>The model did not answer within {longest_s} s.</source>
        <translation>モデルが{longest_s}秒以内に回答しませんでした。</translation>
    </message>
    <message>
        <source>Read projects, threads and messages</source>
        <translation>プロジェクト、スレッド、メッセージの読み取り</translation>
    </message>
    <message>
        <source>Create, change and trash threads and messages; write notes</source>
        <translation>スレッドとメッセージの作成、変更、ゴミ箱への移動、メモの記入</translation>
    </message>
    <message>
        <source>Ask questions and stop answers</source>
        <translation>質問と回答の停止</translation>
    </message>
    <message>
        <source>Administer ChatDesk</source>
        <translation>ChatDeskの管理</translation>
    </message>
    <message>
        <source>Connect from another computer</source>
        <translation>別のコンピューターからの接続</translation>
    </message>
    <message>
        <source>The local service is off.</source>
        <translation>ローカルサービスはオフです。</translation>
    </message>
    <message>
        <source>Turn it on in the settings.</source>
        <translation>設定でオンにしてください。</translation>
    </message>
    <message>
        <source>Close it first, or choose another --data-dir.</source>
        <translation>先に閉じるか、別の--data-dirを選んでください。</translation>
    </message>
    <message>
        <source>The local service ended because of a fault in ChatDesk.</source>
        <translation>ChatDeskの不具合のため、ローカルサービスが終了しました。</translation>
    </message>
    <message>
        <source>Try again; the log says more.</source>
        <translation>もう一度試してください。詳しくはログにあります。</translation>
    </message>
    <message>
        <source>You: {question}</source>
        <translation>あなた: {question}</translation>
    </message>
    <message>
        <source>Status: {status}. Thread: {id}.</source>
        <translation>状態: {status}。スレッド: {id}。</translation>
    </message>
    <message>
        <source>Screenshot: {path}</source>
        <translation>スクリーンショット: {path}</translation>
    </message>
    <message>
        <source>Screenshot: could not be saved</source>
        <translation>スクリーンショット: 保存できませんでした</translation>
    </message>
    <message>
        <source>Something failed that ChatDesk needs to start.</source>
        <translation>ChatDeskの起動に必要なものが失敗しました。</translation>
    </message>
    <message>
        <source>Start it again; “chatdesk doctor” and the log say more.</source>
        <translation>もう一度起動してください。詳しくは「chatdesk doctor」とログにあります。</translation>
    </message>
    <message>
        <source>Not saved</source>
        <translation>未保存</translation>
    </message>
    <message>
        <source>All changes saved</source>
        <translation>すべての変更を保存しました</translation>
    </message>
    <message>
        <source>Not opened</source>
        <translation>開いていません</translation>
    </message>
    <message>
        <source>Read only</source>
        <translation>読み取り専用</translation>
    </message>
    <message>
        <source>The database was upgraded; a backup of the old one is kept.</source>
        <translation>データベースをアップグレードしました。以前のもののバックアップが保管されています。</translation>
    </message>
    <message numerus="yes">
        <source>{count} answers were interrupted last time. The text is kept; Continue goes on.</source>
        <comment>An answer was interrupted last time. The text is kept; Continue goes on.</comment>
        <translation>
            <numerusform>前回、{count}件の回答が中断されました。文章は残っており、「続行」で続けられます。</numerusform>
        </translation>
    </message>
    <message>
        <source>ChatDesk ended unexpectedly last time. Your messages are kept.</source>
        <translation>前回、ChatDeskが予期せず終了しました。メッセージは保存されています。</translation>
    </message>
    <message>
        <source>Help</source>
        <translation>ヘルプ</translation>
    </message>
    <message>
        <source>The pages of help are not in this installation of ChatDesk.</source>
        <translation>このChatDeskにはヘルプのページが含まれていません。</translation>
    </message>
    <message>
        <source>The pages of help open outside of ChatDesk. They are in {page}.</source>
        <translation>ヘルプのページはChatDeskの外で開きます。場所は{page}です。</translation>
    </message>
    <message>
        <source>Save the report</source>
        <translation>レポートを保存</translation>
    </message>
    <message>
        <source>Zip (*.zip)</source>
        <translation>Zip (*.zip)</translation>
    </message>
    <message>
        <source>Saved as {name}.</source>
        <translation>{name}として保存しました。</translation>
    </message>
    <message>
        <source>{one} and {other}</source>
        <translation>{one}と{other}</translation>
    </message>
    <message>
        <source>No connection to {providers}. Your questions are kept.</source>
        <translation>{providers}に接続できません。質問は保存されています。</translation>
    </message>
    <message numerus="yes">
        <source>No connection to {providers}. {count} questions are kept, and sent when it is back.</source>
        <comment>No connection to {providers}. Your question is kept, and sent when it is back.</comment>
        <translation>
            <numerusform>{providers}に接続できません。{count}件の質問は保存されており、接続が戻ると送られます。</numerusform>
        </translation>
    </message>
    <message>
        <source>Close a window first: {count} are open.</source>
        <translation>先にウィンドウを閉じてください。{count}個開いています。</translation>
    </message>
    <message>
        <source>A temporary chat stays in its place. Keep it to open it elsewhere.</source>
        <translation>一時チャットは移動できません。別の場所で開くには保存してください。</translation>
    </message>
    <message>
        <source>My message is in the attached file, because it is too long to be sent whole.</source>
        <translation>全文を送るには長すぎるため、メッセージは添付ファイルにあります。</translation>
    </message>
    <message>
        <source>Sent as a file, from which the model gets what fits</source>
        <translation>ファイルとして送信済み(モデルには収まる分が渡されます)</translation>
    </message>
    <message>
        <source>Type a message</source>
        <translation>メッセージを入力</translation>
    </message>
    <message>
        <source>New thread</source>
        <translation>新しいスレッド</translation>
    </message>
    <message>
        <source>New temporary chat</source>
        <translation>新しい一時チャット</translation>
    </message>
    <message>
        <source>Keep this temporary chat</source>
        <translation>この一時チャットを保存</translation>
    </message>
    <message>
        <source>Close the temporary chat</source>
        <translation>一時チャットを閉じる</translation>
    </message>
    <message>
        <source>Rename thread</source>
        <translation>スレッド名を変更</translation>
    </message>
    <message>
        <source>Pin or unpin thread</source>
        <translation>スレッドをピン留め/解除</translation>
    </message>
    <message>
        <source>Mark as read</source>
        <translation>既読にする</translation>
    </message>
    <message>
        <source>Archive thread, or take it out</source>
        <translation>スレッドをアーカイブ/解除</translation>
    </message>
    <message>
        <source>Move to a project…</source>
        <translation>プロジェクトに移動…</translation>
    </message>
    <message>
        <source>Tags of the thread…</source>
        <translation>スレッドのタグ…</translation>
    </message>
    <message>
        <source>Restore from the trash</source>
        <translation>ゴミ箱から復元</translation>
    </message>
    <message>
        <source>Mark all threads of the list</source>
        <translation>一覧のスレッドをすべて選択</translation>
    </message>
    <message>
        <source>Ctrl+A in the list</source>
        <translation>一覧でCtrl+A</translation>
    </message>
    <message>
        <source>System prompt…</source>
        <translation>システムプロンプト…</translation>
    </message>
    <message>
        <source>Choose the model…</source>
        <translation>モデルを選択…</translation>
    </message>
    <message>
        <source>Parameters…</source>
        <translation>パラメーター…</translation>
    </message>
    <message>
        <source>Copy thread</source>
        <translation>スレッドをコピー</translation>
    </message>
    <message>
        <source>Copy link to the thread</source>
        <translation>スレッドへのリンクをコピー</translation>
    </message>
    <message>
        <source>Export…</source>
        <translation>エクスポート…</translation>
    </message>
    <message>
        <source>Export thread as Markdown…</source>
        <translation>スレッドをMarkdownでエクスポート…</translation>
    </message>
    <message>
        <source>Export thread as JSON…</source>
        <translation>スレッドをJSONでエクスポート…</translation>
    </message>
    <message>
        <source>Delete thread</source>
        <translation>スレッドを削除</translation>
    </message>
    <message>
        <source>Del in the list</source>
        <translation>一覧でDel</translation>
    </message>
    <message>
        <source>Erase thread for everyone…</source>
        <translation>スレッドを全員から消去…</translation>
    </message>
    <message>
        <source>Undo the last change</source>
        <translation>最後の変更を元に戻す</translation>
    </message>
    <message>
        <source>Redo what was undone</source>
        <translation>元に戻した変更をやり直す</translation>
    </message>
    <message>
        <source>Switch project…</source>
        <translation>プロジェクトを切り替え…</translation>
    </message>
    <message>
        <source>New project…</source>
        <translation>新しいプロジェクト…</translation>
    </message>
    <message>
        <source>Edit project…</source>
        <translation>プロジェクトを編集…</translation>
    </message>
    <message>
        <source>Files of the project…</source>
        <translation>プロジェクトのファイル…</translation>
    </message>
    <message>
        <source>Memory…</source>
        <translation>メモリー…</translation>
    </message>
    <message>
        <source>System prompt of the project…</source>
        <translation>プロジェクトのシステムプロンプト…</translation>
    </message>
    <message>
        <source>Parameters of the project…</source>
        <translation>プロジェクトのパラメーター…</translation>
    </message>
    <message>
        <source>Share project, or change its sharing…</source>
        <translation>プロジェクトを共有/共有を変更…</translation>
    </message>
    <message>
        <source>Archive project, or take it out</source>
        <translation>プロジェクトをアーカイブ/解除</translation>
    </message>
    <message>
        <source>Delete project…</source>
        <translation>プロジェクトを削除…</translation>
    </message>
    <message>
        <source>All tags…</source>
        <translation>すべてのタグ…</translation>
    </message>
    <message>
        <source>Stop the answer</source>
        <translation>回答を停止</translation>
    </message>
    <message>
        <source>Go to the call that waits for approval</source>
        <translation>承認待ちの呼び出しへ移動</translation>
    </message>
    <message>
        <source>Review proposed changes to files</source>
        <translation>ファイルへの変更案を確認</translation>
    </message>
    <message>
        <source>Add as note</source>
        <translation>メモとして追加</translation>
    </message>
    <message>
        <source>Regenerate the last answer</source>
        <translation>最後の回答を再生成</translation>
    </message>
    <message>
        <source>Regenerate with another model…</source>
        <translation>別のモデルで再生成…</translation>
    </message>
    <message>
        <source>Compare models…</source>
        <translation>モデルを比較…</translation>
    </message>
    <message>
        <source>Edit my last message</source>
        <translation>自分の最後のメッセージを編集</translation>
    </message>
    <message>
        <source>Up in an empty composer</source>
        <translation>空の入力欄で↑</translation>
    </message>
    <message>
        <source>Edit the answer</source>
        <translation>回答を編集</translation>
    </message>
    <message>
        <source>Open the page of an answer in the browser</source>
        <translation>回答のページをブラウザーで開く</translation>
    </message>
    <message>
        <source>Stop the answer and send the waiting question</source>
        <translation>回答を停止して待機中の質問を送信</translation>
    </message>
    <message>
        <source>Edit the last waiting question</source>
        <translation>最後の待機中の質問を編集</translation>
    </message>
    <message>
        <source>Attach files…</source>
        <translation>ファイルを添付…</translation>
    </message>
    <message>
        <source>Insert a prompt…</source>
        <translation>プロンプトを挿入…</translation>
    </message>
    <message>
        <source>/ in an empty line</source>
        <translation>空の行で/</translation>
    </message>
    <message>
        <source>Save as prompt…</source>
        <translation>プロンプトとして保存…</translation>
    </message>
    <message>
        <source>Prompts…</source>
        <translation>プロンプト…</translation>
    </message>
    <message>
        <source>Choose assistant…</source>
        <translation>アシスタントを選択…</translation>
    </message>
    <message>
        <source>@ for one question</source>
        <translation>1つの質問だけなら@</translation>
    </message>
    <message>
        <source>Copy the last answer</source>
        <translation>最後の回答をコピー</translation>
    </message>
    <message>
        <source>Copy the selection as Markdown</source>
        <translation>選択範囲をMarkdownとしてコピー</translation>
    </message>
    <message>
        <source>Copy the selection as plain text</source>
        <translation>選択範囲をプレーンテキストとしてコピー</translation>
    </message>
    <message>
        <source>Copy the selection as rich text</source>
        <translation>選択範囲をリッチテキストとしてコピー</translation>
    </message>
    <message>
        <source>Copy link to the message</source>
        <translation>メッセージへのリンクをコピー</translation>
    </message>
    <message>
        <source>Quote the selection in the composer</source>
        <translation>選択範囲を入力欄に引用</translation>
    </message>
    <message>
        <source>Remember the selection…</source>
        <translation>選択部分を記憶…</translation>
    </message>
    <message>
        <source>Previous version</source>
        <translation>前のバージョン</translation>
    </message>
    <message>
        <source>Next version</source>
        <translation>次のバージョン</translation>
    </message>
    <message>
        <source>Compare versions</source>
        <translation>バージョンを比較</translation>
    </message>
    <message>
        <source>Continue the answer</source>
        <translation>回答を続行</translation>
    </message>
    <message>
        <source>Ask for a shorter answer</source>
        <translation>より短い回答を求める</translation>
    </message>
    <message>
        <source>Ask for a longer answer</source>
        <translation>より長い回答を求める</translation>
    </message>
    <message>
        <source>Branch into a new thread</source>
        <translation>新しいスレッドにブランチ</translation>
    </message>
    <message>
        <source>Open code or a file as artifact</source>
        <translation>コードかファイルをアーティファクトとして開く</translation>
    </message>
    <message>
        <source>Pin into the context, or unpin</source>
        <translation>コンテキストに固定/解除</translation>
    </message>
    <message>
        <source>Exclude from the context, or include</source>
        <translation>コンテキストから除外/含める</translation>
    </message>
    <message>
        <source>Start the context here</source>
        <translation>コンテキストをここから開始</translation>
    </message>
    <message>
        <source>Start the context at the beginning</source>
        <translation>コンテキストを最初から開始</translation>
    </message>
    <message>
        <source>Delete the message</source>
        <translation>メッセージを削除</translation>
    </message>
    <message>
        <source>Search everything…</source>
        <translation>すべてを検索…</translation>
    </message>
    <message>
        <source>Filter the list of threads</source>
        <translation>スレッド一覧を絞り込み</translation>
    </message>
    <message>
        <source>Find in thread</source>
        <translation>スレッド内を検索</translation>
    </message>
    <message>
        <source>Next match</source>
        <translation>次の一致</translation>
    </message>
    <message>
        <source>Previous match</source>
        <translation>前の一致</translation>
    </message>
    <message>
        <source>Show the questions of this thread</source>
        <translation>このスレッドの質問を表示</translation>
    </message>
    <message>
        <source>Jump to a date…</source>
        <translation>日付へ移動…</translation>
    </message>
    <message>
        <source>Go to the composer</source>
        <translation>入力欄へ移動</translation>
    </message>
    <message>
        <source>Previous thread</source>
        <translation>前のスレッド</translation>
    </message>
    <message>
        <source>Next thread</source>
        <translation>次のスレッド</translation>
    </message>
    <message>
        <source>Next part of the window</source>
        <translation>ウィンドウの次の部分</translation>
    </message>
    <message>
        <source>Previous part of the window</source>
        <translation>ウィンドウの前の部分</translation>
    </message>
    <message>
        <source>Show or hide the sidebar</source>
        <translation>サイドバーを表示/非表示</translation>
    </message>
    <message>
        <source>Show threads</source>
        <translation>スレッドを表示</translation>
    </message>
    <message>
        <source>Show the archive</source>
        <translation>アーカイブを表示</translation>
    </message>
    <message>
        <source>Show the trash</source>
        <translation>ゴミ箱を表示</translation>
    </message>
    <message>
        <source>Deleted messages…</source>
        <translation>削除したメッセージ…</translation>
    </message>
    <message>
        <source>Empty the trash…</source>
        <translation>ゴミ箱を空にする…</translation>
    </message>
    <message>
        <source>Sort threads by name or by last activity</source>
        <translation>スレッドを名前順/最終更新順に並べ替え</translation>
    </message>
    <message>
        <source>Group threads by project or by date</source>
        <translation>スレッドをプロジェクト別/日付別にまとめる</translation>
    </message>
    <message>
        <source>Wider sidebar</source>
        <translation>サイドバーを広げる</translation>
    </message>
    <message>
        <source>Narrower sidebar</source>
        <translation>サイドバーを狭める</translation>
    </message>
    <message>
        <source>Show or hide the inspector</source>
        <translation>インスペクターを表示/非表示</translation>
    </message>
    <message>
        <source>Show what the model will see</source>
        <translation>モデルに渡される内容を表示</translation>
    </message>
    <message>
        <source>Show the summary of older messages</source>
        <translation>古いメッセージの要約を表示</translation>
    </message>
    <message>
        <source>Show what this thread used</source>
        <translation>このスレッドの使用量を表示</translation>
    </message>
    <message>
        <source>Show the tree of versions</source>
        <translation>バージョンのツリーを表示</translation>
    </message>
    <message>
        <source>Show the artifacts of this thread</source>
        <translation>このスレッドのアーティファクトを表示</translation>
    </message>
    <message>
        <source>Switch theme</source>
        <translation>テーマを切り替え</translation>
    </message>
    <message>
        <source>Larger text</source>
        <translation>文字を大きく</translation>
    </message>
    <message>
        <source>Smaller text</source>
        <translation>文字を小さく</translation>
    </message>
    <message>
        <source>Normal text size</source>
        <translation>標準の文字サイズ</translation>
    </message>
    <message>
        <source>Show or hide the menu bar</source>
        <translation>メニューバーを表示/非表示</translation>
    </message>
    <message>
        <source>Add a provider…</source>
        <translation>プロバイダーを追加…</translation>
    </message>
    <message>
        <source>Tools…</source>
        <translation>ツール…</translation>
    </message>
    <message>
        <source>Manage models…</source>
        <translation>モデルを管理…</translation>
    </message>
    <message>
        <source>Import…</source>
        <translation>インポート…</translation>
    </message>
    <message>
        <source>Back up now</source>
        <translation>今すぐバックアップ</translation>
    </message>
    <message>
        <source>Restore a backup…</source>
        <translation>バックアップを復元…</translation>
    </message>
    <message>
        <source>Check the database</source>
        <translation>データベースを確認</translation>
    </message>
    <message>
        <source>Repair the database</source>
        <translation>データベースを修復</translation>
    </message>
    <message>
        <source>Quick question</source>
        <translation>クイック質問</translation>
    </message>
    <message>
        <source>All commands…</source>
        <translation>すべてのコマンド…</translation>
    </message>
    <message>
        <source>Settings…</source>
        <translation>設定…</translation>
    </message>
    <message>
        <source>Team sync…</source>
        <translation>チーム同期…</translation>
    </message>
    <message>
        <source>Join a workspace…</source>
        <translation>ワークスペースに参加…</translation>
    </message>
    <message>
        <source>Invite to the workspace…</source>
        <translation>ワークスペースに招待…</translation>
    </message>
    <message>
        <source>Sync now</source>
        <translation>今すぐ同期</translation>
    </message>
    <message>
        <source>Details of team sync…</source>
        <translation>チーム同期の詳細…</translation>
    </message>
    <message>
        <source>Usage…</source>
        <translation>使用量…</translation>
    </message>
    <message>
        <source>Messages that wait to be sent…</source>
        <translation>送信待ちのメッセージ…</translation>
    </message>
    <message>
        <source>Limits…</source>
        <translation>上限…</translation>
    </message>
    <message>
        <source>Report a problem…</source>
        <translation>問題を報告…</translation>
    </message>
    <message>
        <source>Updates…</source>
        <translation>アップデート…</translation>
    </message>
    <message>
        <source>About ChatDesk</source>
        <translation>ChatDeskについて</translation>
    </message>
    <message>
        <source>Quit</source>
        <translation>終了</translation>
    </message>
    <message>
        <source>Thread</source>
        <translation>スレッド</translation>
    </message>
    <message>
        <source>Project</source>
        <translation>プロジェクト</translation>
    </message>
    <message>
        <source>Message</source>
        <translation>メッセージ</translation>
    </message>
    <message>
        <source>Go</source>
        <translation>移動</translation>
    </message>
    <message>
        <source>View</source>
        <translation>表示</translation>
    </message>
    <message>
        <source>Application</source>
        <translation>アプリケーション</translation>
    </message>
    <message>
        <source>These keys cannot be used.</source>
        <translation>これらのキーは使えません。</translation>
    </message>
    <message>
        <source>{keys} is needed for writing and moving about. Add Ctrl or Alt.</source>
        <translation>{keys}は入力と移動に必要です。CtrlかAltを加えてください。</translation>
    </message>
    <message>
        <source>{keys} is needed in every text field.</source>
        <translation>{keys}はすべての入力欄で必要です。</translation>
    </message>
    <message>
        <source>{keys} belongs to the system and would not reach ChatDesk.</source>
        <translation>{keys}はシステムのもので、ChatDeskには届きません。</translation>
    </message>
    <message>
        <source>There is no finished message here.</source>
        <translation>ここには完了したメッセージがありません。</translation>
    </message>
    <message>
        <source>There is no finished answer here.</source>
        <translation>ここには完了した回答がありません。</translation>
    </message>
    <message>
        <source>Shorter</source>
        <translation>短く</translation>
    </message>
    <message>
        <source>Longer</source>
        <translation>長く</translation>
    </message>
    <message>
        <source>Copy</source>
        <translation>コピー</translation>
    </message>
    <message>
        <source>Copy selection</source>
        <translation>選択範囲をコピー</translation>
    </message>
    <message>
        <source>Copy as Markdown</source>
        <translation>Markdownとしてコピー</translation>
    </message>
    <message>
        <source>Copy as plain text</source>
        <translation>プレーンテキストとしてコピー</translation>
    </message>
    <message>
        <source>Copy as rich text</source>
        <translation>リッチテキストとしてコピー</translation>
    </message>
    <message>
        <source>Copy link</source>
        <translation>リンクをコピー</translation>
    </message>
    <message>
        <source>Quote</source>
        <translation>引用</translation>
    </message>
    <message>
        <source>Quote selection</source>
        <translation>選択範囲を引用</translation>
    </message>
    <message>
        <source>Remember selection…</source>
        <translation>選択部分を記憶…</translation>
    </message>
    <message>
        <source>Open as artifact</source>
        <translation>アーティファクトとして開く</translation>
    </message>
    <message>
        <source>No message in view has a file, or code of 15 lines or more.</source>
        <translation>表示中のメッセージに、ファイルも15行以上のコードもありません。</translation>
    </message>
    <message>
        <source>Open page in browser</source>
        <translation>ページをブラウザーで開く</translation>
    </message>
    <message>
        <source>No message in view has a block of HTML.</source>
        <translation>表示中のメッセージにHTMLのブロックがありません。</translation>
    </message>
    <message>
        <source>Answer</source>
        <translation>回答</translation>
    </message>
    <message>
        <source>Note</source>
        <translation>メモ</translation>
    </message>
    <message>
        <source>Reasoning</source>
        <translation>推論</translation>
    </message>
    <message>
        <source>Tool call</source>
        <translation>ツールの呼び出し</translation>
    </message>
    <message>
        <source>Image: {name}</source>
        <translation>画像: {name}</translation>
    </message>
    <message>
        <source>File: {name}</source>
        <translation>ファイル: {name}</translation>
    </message>
    <message>
        <source>Image: {name} ({problem})</source>
        <translation>画像: {name}（{problem}）</translation>
    </message>
    <message>
        <source>File: {name} ({problem})</source>
        <translation>ファイル: {name}（{problem}）</translation>
    </message>
    <message>
        <source>attachment</source>
        <translation>添付ファイル</translation>
    </message>
    <message>
        <source>its bytes are missing or damaged</source>
        <translation>内容が失われているか破損しています</translation>
    </message>
    <message>
        <source>at an unknown time</source>
        <translation>日時不明</translation>
    </message>
    <message>
        <source>{year}-{month}-{day} {hour}:{minute} UTC</source>
        <translation>{year}/{month}/{day} {hour}:{minute} UTC</translation>
    </message>
    <message>
        <source>The link “{words}” leads to {place}.</source>
        <translation>リンク「{words}」の行き先は{place}です。</translation>
    </message>
    <message>
        <source>More links of this message lead elsewhere than their words say.</source>
        <translation>このメッセージには、表示と行き先が異なるリンクがほかにもあります。</translation>
    </message>
    <message>
        <source>Answer</source>
        <comment>verb</comment>
        <translation>回答する</translation>
    </message>
    <message>
        <source>Regenerate</source>
        <translation>再生成</translation>
    </message>
    <message>
        <source>Answer with another model…</source>
        <translation>別のモデルで回答…</translation>
    </message>
    <message>
        <source>Edit</source>
        <translation>編集</translation>
    </message>
    <message>
        <source>Continue</source>
        <translation>続行</translation>
    </message>
    <message>
        <source>There is no answer here that could be continued.</source>
        <translation>ここには続行できる回答がありません。</translation>
    </message>
    <message>
        <source>Decide about open calls…</source>
        <translation>保留中の呼び出しを判断…</translation>
    </message>
    <message>
        <source>Review proposed changes…</source>
        <translation>変更案を確認…</translation>
    </message>
    <message>
        <source>No answer here proposes changes to files.</source>
        <translation>ファイルへの変更を提案する回答はここにありません。</translation>
    </message>
    <message>
        <source>Edit answer</source>
        <translation>回答を編集</translation>
    </message>
    <message>
        <source>Try again</source>
        <translation>再試行</translation>
    </message>
    <message>
        <source>There is no earlier version of this message.</source>
        <translation>このメッセージにこれより前のバージョンはありません。</translation>
    </message>
    <message>
        <source>There is no later version of this message.</source>
        <translation>このメッセージにこれより後のバージョンはありません。</translation>
    </message>
    <message>
        <source>This answer has one version only.</source>
        <translation>この回答のバージョンは1つだけです。</translation>
    </message>
    <message>
        <source>Pin into the context</source>
        <translation>コンテキストに固定</translation>
    </message>
    <message>
        <source>Unpin from the context</source>
        <translation>コンテキストへの固定を解除</translation>
    </message>
    <message>
        <source>Exclude from the context</source>
        <translation>コンテキストから除外</translation>
    </message>
    <message>
        <source>Include in the context</source>
        <translation>コンテキストに含める</translation>
    </message>
    <message>
        <source>Let the model see it</source>
        <translation>モデルに見せる</translation>
    </message>
    <message>
        <source>Include in the context again</source>
        <translation>再びコンテキストに含める</translation>
    </message>
    <message>
        <source>The context starts here already.</source>
        <translation>コンテキストはすでにここから始まっています。</translation>
    </message>
    <message>
        <source>The context starts at the beginning already.</source>
        <translation>コンテキストはすでに最初から始まっています。</translation>
    </message>
    <message>
        <source>Delete</source>
        <translation>削除</translation>
    </message>
    <message>
        <source>Erase for everyone…</source>
        <translation>全員から消去…</translation>
    </message>
    <message>
        <source>Open in a new window</source>
        <translation>新しいウィンドウで開く</translation>
    </message>
    <message>
        <source>Open beside</source>
        <translation>並べて開く</translation>
    </message>
    <message>
        <source>Close this chat or window</source>
        <translation>このチャットまたはウィンドウを閉じる</translation>
    </message>
    <message>
        <source>Go to the chat at the left</source>
        <translation>左のチャットへ移動</translation>
    </message>
    <message>
        <source>Go to the chat at the right</source>
        <translation>右のチャットへ移動</translation>
    </message>
    <message>
        <source>Keep this one</source>
        <translation>これを残す</translation>
    </message>
    <message>
        <source>Stop</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>Edited answer</source>
        <translation>編集後の回答</translation>
    </message>
    <message>
        <source>Stop the edited answer</source>
        <translation>編集後の回答を停止</translation>
    </message>
    <message>
        <source>Keep the edited answer</source>
        <translation>編集後の回答を残す</translation>
    </message>
    <message>
        <source>Keep the answer</source>
        <translation>回答を残す</translation>
    </message>
    <message>
        <source>Answer of {model}</source>
        <translation>{model}の回答</translation>
    </message>
    <message>
        <source>Stop the answer of {model}</source>
        <translation>{model}の回答を停止</translation>
    </message>
    <message>
        <source>Keep the answer of {model}</source>
        <translation>{model}の回答を残す</translation>
    </message>
    <message>
        <source>Compared answers</source>
        <translation>比較した回答</translation>
    </message>
    <message>
        <source>Back</source>
        <translation>戻る</translation>
    </message>
    <message>
        <source>Back to the thread; all answers stay as versions</source>
        <translation>スレッドに戻る(すべての回答はバージョンとして残ります)</translation>
    </message>
    <message>
        <source>Your question: {question}</source>
        <translation>質問: {question}</translation>
    </message>
    <message>
        <source>{name}, being copied</source>
        <translation>{name}、コピー中</translation>
    </message>
    <message>
        <source>Remove {file}</source>
        <translation>{file}を外す</translation>
    </message>
    <message>
        <source>Remove (Delete)</source>
        <translation>外す(Delete)</translation>
    </message>
    <message>
        <source>Remove</source>
        <translation>外す</translation>
    </message>
    <message>
        <source>{name} is attached</source>
        <translation>{name}を添付しました</translation>
    </message>
    <message>
        <source>{name} is removed</source>
        <translation>{name}を外しました</translation>
    </message>
    <message>
        <source>Send</source>
        <translation>送信</translation>
    </message>
    <message>
        <source>Stop the answer (Esc)</source>
        <translation>回答を停止(Esc)</translation>
    </message>
    <message>
        <source>Attach files</source>
        <translation>ファイルを添付</translation>
    </message>
    <message>
        <source>Files, prompts, parameters and tools</source>
        <translation>ファイル、プロンプト、パラメーター、ツール</translation>
    </message>
    <message>
        <source>Wait for the answer, or press Esc to stop it. Your text is kept.</source>
        <translation>回答を待つか、Escで停止してください。文章は残ります。</translation>
    </message>
    <message>
        <source>{size} is more than one message can hold ({limit}). Split the text.</source>
        <translation>{size}は1つのメッセージの上限({limit})を超えています。文章を分けてください。</translation>
    </message>
    <message>
        <source>Send after the answer</source>
        <translation>回答の後に送信</translation>
    </message>
    <message>
        <source>The files are still being copied. The message is sent when they are there.</source>
        <translation>ファイルをコピー中です。終わるとメッセージが送られます。</translation>
    </message>
    <message>
        <source>Not sent yet: see the note above your text, then send again.</source>
        <translation>まだ送信されていません。文章の上の注意を確認してから、もう一度送信してください。</translation>
    </message>
    <message>
        <source>Prompts</source>
        <translation>プロンプト</translation>
    </message>
    <message numerus="yes">
        <source>{count} prompts, arrows choose, Enter inserts, Esc closes.</source>
        <comment>{count} prompt, arrows choose, Enter inserts, Esc closes.</comment>
        <translation>
            <numerusform>{count}件のプロンプト。矢印キーで選択、Enterで挿入、Escで閉じます。</numerusform>
        </translation>
    </message>
    <message>
        <source>Edit prompts…</source>
        <translation>プロンプトを編集…</translation>
    </message>
    <message>
        <source>All templates and system prompts</source>
        <translation>すべてのテンプレートとシステムプロンプト</translation>
    </message>
    <message>
        <source>Find a prompt</source>
        <translation>プロンプトを検索</translation>
    </message>
    <message>
        <source>No prompt matches.</source>
        <translation>一致するプロンプトはありません。</translation>
    </message>
    <message>
        <source>{item}, {row} of {count}</source>
        <translation>{item}、{count}件中{row}</translation>
    </message>
    <message>
        <source>{leave}: {state}</source>
        <translation>{leave}: {state}</translation>
    </message>
    <message>
        <source>Move up: {text}</source>
        <translation>上へ移動: {text}</translation>
    </message>
    <message>
        <source>Send it before the one above</source>
        <translation>上のものより先に送信</translation>
    </message>
    <message>
        <source>Take it back into the text below</source>
        <translation>下の文章に戻す</translation>
    </message>
    <message>
        <source>Send now</source>
        <translation>今すぐ送信</translation>
    </message>
    <message>
        <source>Stop the answer, keep what came, and ask this</source>
        <translation>回答を停止し、届いた分を残して、これを質問</translation>
    </message>
    <message numerus="yes">
        <source>{count} more wait…</source>
        <comment>{count} more waits…</comment>
        <translation>
            <numerusform>ほかに{count}件待機中…</numerusform>
        </translation>
    </message>
    <message>
        <source>Save these files as a zip and send it with a description of what went wrong. They contain no messages, titles, file names or keys. Look through them first; nothing is sent automatically.</source>
        <translation>これらのファイルをzipとして保存し、問題の説明とともに送ってください。メッセージ、タイトル、ファイル名、キーは含まれていません。先に内容を確認してください。自動的に送られるものはありません。</translation>
    </message>
    <message>
        <source>Report a problem</source>
        <translation>問題を報告</translation>
    </message>
    <message>
        <source>Files of the report</source>
        <translation>レポートのファイル</translation>
    </message>
    <message>
        <source>Text of the file</source>
        <translation>ファイルのテキスト</translation>
    </message>
    <message>
        <source>Collecting…</source>
        <translation>収集中…</translation>
    </message>
    <message>
        <source>Save as a zip…</source>
        <translation>zipとして保存…</translation>
    </message>
    <message>
        <source>Close</source>
        <translation>閉じる</translation>
    </message>
    <message numerus="yes">
        <source>{count} files, {size} before packing</source>
        <comment>{count} file, {size} before packing</comment>
        <translation>
            <numerusform>{count}個のファイル、圧縮前{size}</numerusform>
        </translation>
    </message>
    <message>
        <source>(The end of it; the zip has all {count} characters.)
…{end}</source>
        <translation>(末尾のみ。zipには全{count}文字が入ります。)
…{end}</translation>
    </message>
    <message>
        <source>What you typed is not saved. Press Esc again to leave without it.</source>
        <translation>入力した内容は保存されていません。もう一度 Esc キーを押すと、保存せずに閉じます。</translation>
    </message>
    <message>
        <source>Cancel</source>
        <translation>キャンセル</translation>
    </message>
    <message>
        <source>Choose…</source>
        <translation>選択…</translation>
    </message>
    <message>
        <source>Choose: {name}</source>
        <translation>選択: {name}</translation>
    </message>
    <message>
        <source>Remove: {name}</source>
        <translation>外す: {name}</translation>
    </message>
    <message>
        <source>Press the keys…</source>
        <translation>キーを押してください…</translation>
    </message>
    <message>
        <source>{keys}. Press Enter to choose others, Delete to remove them, Esc to keep them.</source>
        <translation>{keys}。Enterで別のキーを選択、Deleteで削除、Escでそのままにします。</translation>
    </message>
    <message>
        <source>Copy report</source>
        <translation>レポートをコピー</translation>
    </message>
    <message>
        <source>Show file</source>
        <translation>ファイルを表示</translation>
    </message>
    <message>
        <source>The report could not be read: {reason}.</source>
        <translation>レポートを読み込めませんでした: {reason}。</translation>
    </message>
    <message>
        <source>Copied</source>
        <translation>コピーしました</translation>
    </message>
    <message>
        <source>Version {version}, with Python {python} and Qt {qt_version}.

Inter and JetBrains Mono are used under the SIL Open Font License, the Lucide icons under the ISC licence.</source>
        <translation>バージョン{version}、Python {python}、Qt {qt_version}。

InterとJetBrains MonoはSIL Open Font License、LucideのアイコンはISCライセンスの下で使用しています。</translation>
    </message>
    <message>
        <source>Send the message</source>
        <translation>メッセージを送信</translation>
    </message>
    <message>
        <source>Enter</source>
        <translation>Enter</translation>
    </message>
    <message>
        <source>New line in the composer</source>
        <translation>入力欄で改行</translation>
    </message>
    <message>
        <source>Shift+Enter</source>
        <translation>Shift+Enter</translation>
    </message>
    <message>
        <source>Walk through threads</source>
        <translation>スレッドを順に移動</translation>
    </message>
    <message>
        <source>Up or Down in the list</source>
        <translation>一覧で↑または↓</translation>
    </message>
    <message>
        <source>Open the thread</source>
        <translation>スレッドを開く</translation>
    </message>
    <message>
        <source>Enter in the list</source>
        <translation>一覧でEnter</translation>
    </message>
    <message>
        <source>Mark threads</source>
        <translation>スレッドを選択</translation>
    </message>
    <message>
        <source>Shift+Down or Ctrl+Space in the list</source>
        <translation>一覧でShift+↓またはCtrl+Space</translation>
    </message>
    <message>
        <source>Menu of a thread</source>
        <translation>スレッドのメニュー</translation>
    </message>
    <message>
        <source>Menu in the list</source>
        <translation>一覧でMenu</translation>
    </message>
    <message>
        <source>Between messages</source>
        <translation>メッセージ間を移動</translation>
    </message>
    <message>
        <source>Ctrl+Down or Ctrl+Up in the thread</source>
        <translation>スレッドでCtrl+↓またはCtrl+↑</translation>
    </message>
    <message>
        <source>Links and buttons</source>
        <translation>リンクとボタン</translation>
    </message>
    <message>
        <source>Tab in the thread</source>
        <translation>スレッドでTab</translation>
    </message>
    <message>
        <source>Menu of the message</source>
        <translation>メッセージのメニュー</translation>
    </message>
    <message>
        <source>Enter or Menu in the thread</source>
        <translation>スレッドでEnterまたはMenu</translation>
    </message>
    <message>
        <source>Walk through the text</source>
        <translation>テキスト内を移動</translation>
    </message>
    <message>
        <source>F7 in the thread</source>
        <translation>スレッドでF7</translation>
    </message>
    <message>
        <source>Next group of results</source>
        <translation>結果の次のグループ</translation>
    </message>
    <message>
        <source>Tab in the search</source>
        <translation>検索でTab</translation>
    </message>
    <message>
        <source>Press the new keys for “{name}”.</source>
        <translation>「{name}」の新しいキーを押してください。</translation>
    </message>
    <message>
        <source>Use these</source>
        <translation>これを使う</translation>
    </message>
    <message>
        <source>{keys} belongs to “{name}”, which would lose it.</source>
        <translation>{keys}は「{name}」のもので、そちらでは使えなくなります。</translation>
    </message>
    <message>
        <source>Take over</source>
        <translation>引き継ぐ</translation>
    </message>
    <message>
        <source>{keys} is free.</source>
        <translation>{keys}は空いています。</translation>
    </message>
    <message>
        <source>In place</source>
        <translation>場所ごとのキー</translation>
    </message>
    <message>
        <source>changed</source>
        <translation>変更あり</translation>
    </message>
    <message>
        <source>changed keys</source>
        <translation>変更したキー</translation>
    </message>
    <message>
        <source>no keys</source>
        <translation>キーなし</translation>
    </message>
    <message>
        <source>usual keys</source>
        <translation>通常のキー</translation>
    </message>
    <message>
        <source>Find a command or keys</source>
        <translation>コマンドまたはキーを検索</translation>
    </message>
    <message>
        <source>Commands and their keys</source>
        <translation>コマンドとキー</translation>
    </message>
    <message>
        <source>Enter changes the keys, Delete takes them away</source>
        <translation>Enterでキーを変更、Deleteで削除</translation>
    </message>
    <message>
        <source>a very long answer (some 6,000 words)</source>
        <translation>とても長い回答（約6,000語）</translation>
    </message>
    <message>
        <source>code in several languages</source>
        <translation>いくつかの言語のコード</translation>
    </message>
    <message>
        <source>tables, narrow and wide</source>
        <translation>狭い表と広い表</translation>
    </message>
    <message>
        <source>formulas</source>
        <translation>数式</translation>
    </message>
    <message>
        <source>a picture, which is kept as a file of the answer</source>
        <translation>画像（回答のファイルとして保存されます）</translation>
    </message>
    <message>
        <source>every kind of Markdown</source>
        <translation>あらゆる種類のMarkdown</translation>
    </message>
    <message>
        <source>eight pieces a second: time to press Stop</source>
        <translation>1秒に8個ずつ: 停止を押す時間があります</translation>
    </message>
    <message>
        <source>too many requests: a wait that is announced, then an error</source>
        <translation>リクエスト過多: 予告された待ち時間のあとエラー</translation>
    </message>
    <message>
        <source>the same wait, then an answer</source>
        <translation>同じ待ち時間のあと回答</translation>
    </message>
    <message>
        <source>the connection breaks in the middle; Continue finishes</source>
        <translation>途中で接続が切れます。続行で最後まで届きます</translation>
    </message>
    <message>
        <source>thoughts before the answer</source>
        <translation>回答の前の思考</translation>
    </message>
    <message>
        <source>a tool call</source>
        <translation>ツールの呼び出し</translation>
    </message>
    <message>
        <source>There is no demo called {name}. These exist:</source>
        <translation>{name}というデモはありません。次のものがあります:</translation>
    </message>
    <message>
        <source>Try one of these:</source>
        <translation>次のどれかを試してください:</translation>
    </message>
    <message>
        <source>Command</source>
        <translation>コマンド</translation>
    </message>
    <message>
        <source>What it shows</source>
        <translation>内容</translation>
    </message>
    <message>
        <source>Keys</source>
        <translation>キー</translation>
    </message>
    <message>
        <source>State</source>
        <translation>状態</translation>
    </message>
    <message>
        <source>Change keys…</source>
        <translation>キーを変更…</translation>
    </message>
    <message>
        <source>Take away</source>
        <translation>取り除く</translation>
    </message>
    <message>
        <source>Reset</source>
        <translation>リセット</translation>
    </message>
    <message>
        <source>Reset all</source>
        <translation>すべてリセット</translation>
    </message>
    <message>
        <source>New keys</source>
        <translation>新しいキー</translation>
    </message>
    <message>
        <source>An unexpected failure</source>
        <translation>予期しない失敗</translation>
    </message>
    <message>
        <source>Something went wrong in ChatDesk. Your messages are kept.</source>
        <translation>ChatDeskで問題が発生しました。メッセージは保存されています。</translation>
    </message>
    <message>
        <source>Something went wrong in ChatDesk. Your messages are kept, and you can go on. A report was written, without your messages. To send it to the developers, choose “Report a problem…” in the menu: you see everything first.</source>
        <translation>ChatDeskで問題が発生しました。メッセージは保存されており、このまま続けられます。メッセージを含まないレポートを作成しました。開発者に送るには、メニューの「問題を報告…」を選んでください。先に内容をすべて確認できます。</translation>
    </message>
    <message>
        <source>Details…</source>
        <translation>詳細…</translation>
    </message>
    <message>
        <source>This text is too long to be drawn. Its source is shown.</source>
        <translation>このテキストは長すぎて描画できません。ソースを表示しています。</translation>
    </message>
    <message>
        <source>They differ too much to be compared line by line; what differs is shown as replaced.</source>
        <translation>違いが多すぎて行ごとに比較できません。異なる部分は置き換えとして表示しています。</translation>
    </message>
    <message numerus="yes">
        <source>The first {count} rows are shown.</source>
        <comment>The first {count} row is shown.</comment>
        <translation>
            <numerusform>先頭の{count}行を表示しています。</numerusform>
        </translation>
    </message>
    <message>
        <source>{added}, {removed}.</source>
        <translation>{added}、{removed}。</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines added</source>
        <comment>{count} line added</comment>
        <translation>
            <numerusform>{count}行追加</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} lines removed</source>
        <comment>{count} line removed</comment>
        <translation>
            <numerusform>{count}行削除</numerusform>
        </translation>
    </message>
    <message>
        <source>No line differs.</source>
        <translation>異なる行はありません。</translation>
    </message>
    <message>
        <source>in a version of the thread that is not shown</source>
        <translation>表示されていないスレッドのバージョン内</translation>
    </message>
    <message>
        <source>This text is too large to be edited here. Save it, edit it elsewhere, and attach the result.</source>
        <translation>このテキストは大きすぎてここでは編集できません。保存して別の場所で編集し、結果を添付してください。</translation>
    </message>
    <message>
        <source>Your unfinished edit is back</source>
        <translation>未完了の編集を戻しました</translation>
    </message>
    <message>
        <source>Your changes were left out</source>
        <translation>変更を破棄しました</translation>
    </message>
    <message>
        <source>Edit again</source>
        <translation>もう一度編集</translation>
    </message>
    <message>
        <source>Your edit of {name} is a version of it</source>
        <translation>{name}の編集はそのバージョンになりました</translation>
    </message>
    <message>
        <source>Artifacts are stored on disk; a temporary chat is not.</source>
        <translation>アーティファクトはディスクに保存されますが、一時チャットは保存されません。</translation>
    </message>
    <message>
        <source>Change the attached file {name} and answer with all of it in one code block.</source>
        <translation>添付ファイル{name}を変更し、その全体を1つのコードブロックで回答してください。</translation>
    </message>
    <message>
        <source>Removed from the list</source>
        <translation>一覧から外しました</translation>
    </message>
    <message>
        <source>Undo</source>
        <translation>元に戻す</translation>
    </message>
    <message>
        <source>Answer with another model</source>
        <translation>別のモデルで回答</translation>
    </message>
    <message>
        <source>Pasted image.png</source>
        <translation>貼り付けた画像.png</translation>
    </message>
    <message>
        <source>Files are stored on disk; a temporary chat is not.</source>
        <translation>ファイルはディスクに保存されますが、一時チャットは保存されません。</translation>
    </message>
    <message>
        <source>It is right</source>
        <translation>これで正しい</translation>
    </message>
    <message>
        <source>Is “{sample}” in “{name}” read right?</source>
        <translation>「{name}」の「{sample}」は正しく読めていますか？</translation>
    </message>
    <message>
        <source>“{name}” is read as {encoding}: “{sample}”.</source>
        <translation>「{name}」を {encoding} として読んでいます: 「{sample}」。</translation>
    </message>
    <message>
        <source>Of “{name}” only the name is sent.</source>
        <translation>「{name}」は名前だけが送られます。</translation>
    </message>
    <message>
        <source>“{name}”: {problem}</source>
        <translation>「{name}」: {problem}</translation>
    </message>
    <message>
        <source>Read otherwise…</source>
        <translation>別の文字コードで読む…</translation>
    </message>
    <message>
        <source>Not sent yet: say above your text whether “{name}” is read right.</source>
        <translation>まだ送信していません。「{name}」が正しく読めているか、入力欄の上で答えてください。</translation>
    </message>
    <message>
        <source>The picture in the clipboard cannot be read.</source>
        <translation>クリップボードの画像を読み取れません。</translation>
    </message>
    <message>
        <source>This thread has no message yet.</source>
        <translation>このスレッドにはまだメッセージがありません。</translation>
    </message>
    <message>
        <source>Nothing was written on that day or later.</source>
        <translation>その日以降に書かれたものはありません。</translation>
    </message>
    <message>
        <source>What goes to the trash can be brought back, at once with Ctrl+Z and later from the inspector&apos;s tree.</source>
        <translation>ゴミ箱に移したものは、すぐならCtrl+Zで、後からはインスペクターのツリーで元に戻せます。</translation>
    </message>
    <message>
        <source>Delete this message only, or also those after it?</source>
        <translation>このメッセージだけを削除しますか？それともこの後のものも削除しますか？</translation>
    </message>
    <message>
        <source>Do not ask again</source>
        <translation>今後確認しない</translation>
    </message>
    <message>
        <source>Settings can make ChatDesk ask again.</source>
        <translation>設定で、再び確認するようにできます。</translation>
    </message>
    <message>
        <source>With later messages</source>
        <translation>以降のメッセージも</translation>
    </message>
    <message>
        <source>This message only</source>
        <translation>このメッセージだけ</translation>
    </message>
    <message>
        <source>Deleted messages</source>
        <translation>削除したメッセージ</translation>
    </message>
    <message>
        <source>Restored messages go back to their place.</source>
        <translation>復元したメッセージは元の位置に戻ります。</translation>
    </message>
    <message>
        <source>No message is in the trash.</source>
        <translation>ゴミ箱にメッセージはありません。</translation>
    </message>
    <message>
        <source>Restore</source>
        <translation>復元</translation>
    </message>
    <message>
        <source>Show the thread</source>
        <translation>スレッドを表示</translation>
    </message>
    <message>
        <source>{day} {time}</source>
        <translation>{day} {time}</translation>
    </message>
    <message>
        <source>Without text</source>
        <translation>本文なし</translation>
    </message>
    <message>
        <source>Question in “{title}”, deleted {when}</source>
        <translation>「{title}」の質問、{when}に削除</translation>
    </message>
    <message>
        <source>Answer in “{title}”, deleted {when}</source>
        <translation>「{title}」の回答、{when}に削除</translation>
    </message>
    <message>
        <source>Question and {more} more in “{title}”, deleted {when}</source>
        <translation>「{title}」の質問とほか{more}件、{when}に削除</translation>
    </message>
    <message>
        <source>Answer and {more} more in “{title}”, deleted {when}</source>
        <translation>「{title}」の回答とほか{more}件、{when}に削除</translation>
    </message>
    <message>
        <source>Message restored</source>
        <translation>メッセージを復元しました</translation>
    </message>
    <message>
        <source>It leaves the server, and every computer when it syncs next. This cannot be undone. What stays: backups of the server and of computers until they are replaced, private copies of members who left, and what somebody copied or exported.</source>
        <translation>サーバーから消え、各コンピューターからも次の同期時に消えます。元に戻せません。残るもの: サーバーとコンピューターの置き換え前のバックアップ、離れたメンバーの個人用コピー、誰かがコピーまたはエクスポートしたもの。</translation>
    </message>
    <message>
        <source>Erase this thread for everyone?</source>
        <translation>全員のこのスレッドを消去しますか？</translation>
    </message>
    <message>
        <source>Erase this message for everyone?</source>
        <translation>全員のこのメッセージを消去しますか？</translation>
    </message>
    <message>
        <source>Erase for everyone</source>
        <translation>全員分を消去</translation>
    </message>
    <message>
        <source>It is in the trash, and is erased as soon as the server has taken it.</source>
        <translation>ゴミ箱にあり、サーバーが受け付けるとすぐに消去されます。</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages go, with attached files and the summaries that mention them.</source>
        <comment>{count} message goes, with attached files and the summaries that mention them.</comment>
        <translation>
            <numerusform>{count}件のメッセージが、添付ファイルとそれに触れている要約とともに消去されます。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} messages of others stay in the trash: only owners and admins of the project erase what others wrote.</source>
        <comment>{count} message of others stays in the trash: only owners and admins of the project erase what others wrote.</comment>
        <translation>
            <numerusform>ほかの人の{count}件のメッセージはゴミ箱に残ります。ほかの人が書いたものを消去できるのは、プロジェクトの所有者と管理者だけです。</numerusform>
        </translation>
    </message>
    <message>
        <source>It is not sent, because this model cannot see images.</source>
        <translation>このモデルは画像を見られないため、送信されません。</translation>
    </message>
    <message>
        <source>It is empty.</source>
        <translation>空です。</translation>
    </message>
    <message>
        <source>Its middle is left out, because it does not fit.</source>
        <translation>入りきらないため、中間部分は省かれます。</translation>
    </message>
    <message>
        <source>this model</source>
        <translation>このモデル</translation>
    </message>
    <message numerus="yes">
        <source>{count} images are not sent, because {model} cannot see images: only their names are.</source>
        <comment>The image is not sent, because {model} cannot see images: only its name is.</comment>
        <translation>
            <numerusform>{model}は画像を見られないため、{count}件の画像は送信されず、名前だけが送られます。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>It is not known whether {model} sees images. {count} are sent.</source>
        <comment>It is not known whether {model} sees images. The image is sent.</comment>
        <translation>
            <numerusform>{model}が画像を見られるかは不明です。{count}件を送信します。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The middle of {count} files is left out, because they do not fit.</source>
        <comment>The middle of “{name}” is left out, because it does not fit.</comment>
        <translation>
            <numerusform>入りきらないため、{count}件のファイルの中間部分は省かれます。</numerusform>
        </translation>
    </message>
    <message>
        <source>The size of the context of {model} is not known: {count} tokens are assumed.</source>
        <translation>{model}のコンテキストの大きさは不明です。{count}トークンとみなします。</translation>
    </message>
    <message numerus="yes">
        <source>It is not known whether {models} see images; they are sent.</source>
        <comment>It is not known whether {models} sees images; they are sent.</comment>
        <translation>
            <numerusform>{models}が画像を見られるかは不明です。画像は送信されます。</numerusform>
        </translation>
    </message>
    <message>
        <source>Do not send images</source>
        <translation>画像を送らない</translation>
    </message>
    <message>
        <source>Ask {model} instead</source>
        <translation>代わりに{model}に質問</translation>
    </message>
    <message numerus="yes">
        <source>They can</source>
        <comment>It can</comment>
        <translation>
            <numerusform>見られる</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{models} cannot see images: only their names are sent.</source>
        <comment>{models} cannot see images: only their names are sent.</comment>
        <translation>
            <numerusform>{models}は画像を見られません。名前だけが送られます。</numerusform>
        </translation>
    </message>
    <message>
        <source>Jump to a date</source>
        <translation>日付へ移動</translation>
    </message>
    <message>
        <source>From {first} to {last}</source>
        <translation>{first}から{last}まで</translation>
    </message>
    <message>
        <source>Date</source>
        <translation>日付</translation>
    </message>
    <message>
        <source>Calendar</source>
        <translation>カレンダー</translation>
    </message>
    <message>
        <source>Days</source>
        <translation>日</translation>
    </message>
    <message>
        <source>Previous month</source>
        <translation>前の月</translation>
    </message>
    <message>
        <source>Next month</source>
        <translation>次の月</translation>
    </message>
    <message>
        <source>Send or cancel what you are editing first.</source>
        <translation>先に、編集中のものを送信するか取り消してください。</translation>
    </message>
    <message>
        <source>Added as a note</source>
        <translation>メモとして追加しました</translation>
    </message>
    <message>
        <source>Nothing was changed, so the answer stays as it is.</source>
        <translation>何も変更されていないため、回答は元のままです。</translation>
    </message>
    <message>
        <source>Stop comparing</source>
        <translation>比較をやめる</translation>
    </message>
    <message>
        <source>A temporary chat cannot have branches.</source>
        <translation>一時チャットではブランチを作れません。</translation>
    </message>
    <message>
        <source>branch</source>
        <translation>ブランチ</translation>
    </message>
    <message>
        <source>This is a branch. The thread it came from stays as it is.</source>
        <translation>これはブランチです。元のスレッドはそのまま残ります。</translation>
    </message>
    <message>
        <source>Sending makes a version that is marked as yours.</source>
        <translation>送信すると、自分のものと記されたバージョンができます。</translation>
    </message>
    <message>
        <source>Editing an answer.</source>
        <translation>回答を編集中。</translation>
    </message>
    <message>
        <source>Editing a question.</source>
        <translation>質問を編集中。</translation>
    </message>
    <message>
        <source>Editing your last question. Sending makes a new version.</source>
        <translation>最後の質問を編集中。送信すると新しいバージョンができます。</translation>
    </message>
    <message>
        <source>leave the edit</source>
        <translation>編集の中止</translation>
    </message>
    <message>
        <source>Wait for the answer, or press Esc to stop it. Then it can be edited.</source>
        <translation>回答を待つか、Escで停止してください。その後編集できます。</translation>
    </message>
    <message numerus="yes">
        <source>{count} later messages stay in version {version}.</source>
        <comment>{count} later message stays in version {version}.</comment>
        <translation>
            <numerusform>以降の{count}件のメッセージはバージョン{version}に残ります。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Comparing {count} models</source>
        <comment>Comparing {count} model</comment>
        <translation>
            <numerusform>{count}個のモデルを比較中</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} answers this question.</source>
        <translation>{name}がこの質問に回答します。</translation>
    </message>
    <message>
        <source>Temperature</source>
        <translation>温度</translation>
    </message>
    <message>
        <source>Low is steady, high is varied.</source>
        <translation>低いと安定し、高いと多様になります。</translation>
    </message>
    <message>
        <source>How many of the likely words are considered.</source>
        <translation>可能性の高い語をどこまで考慮するか。</translation>
    </message>
    <message>
        <source>In tokens. This much of the context is kept free.</source>
        <translation>トークン数。コンテキストのうち、この分が空けておかれます。</translation>
    </message>
    <message>
        <source>Reasoning effort</source>
        <translation>推論の深さ</translation>
    </message>
    <message>
        <source>How long the model thinks before it answers.</source>
        <translation>モデルが回答する前に考える長さ。</translation>
    </message>
    <message>
        <source>Stop words</source>
        <translation>停止語</translation>
    </message>
    <message>
        <source>The answer ends before any of these. One a line, at most four.</source>
        <translation>これらの前で回答が終わります。1行に1つ、最大4つ。</translation>
    </message>
    <message>
        <source>Minimal</source>
        <translation>最小</translation>
    </message>
    <message>
        <source>Low</source>
        <translation>低</translation>
    </message>
    <message>
        <source>Medium</source>
        <translation>中</translation>
    </message>
    <message>
        <source>High</source>
        <translation>高</translation>
    </message>
    <message numerus="yes">
        <source>{count} parameters</source>
        <comment>{count} parameter</comment>
        <translation>
            <numerusform>{count}件のパラメーター</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} {value}</source>
        <translation>{name} {value}</translation>
    </message>
    <message>
        <source>Empty means: {value}.</source>
        <translation>空欄の場合: {value}。</translation>
    </message>
    <message>
        <source>Same as the project: {value}</source>
        <translation>プロジェクトと同じ: {value}</translation>
    </message>
    <message>
        <source>Up to {number}</source>
        <translation>最大{number}</translation>
    </message>
    <message>
        <source>Model&apos;s default</source>
        <translation>モデルの既定</translation>
    </message>
    <message>
        <source>Save</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Used whenever this assistant answers; what is empty follows the thread.</source>
        <translation>このアシスタントが回答するときに使われます。空欄はスレッドに従います。</translation>
    </message>
    <message>
        <source>Empties every field, so that the project&apos;s values apply.</source>
        <translation>すべての欄を空にし、プロジェクトの値を適用します。</translation>
    </message>
    <message>
        <source>Empties every field, so that the model&apos;s own values apply.</source>
        <translation>すべての欄を空にし、モデル自体の値を適用します。</translation>
    </message>
    <message>
        <source>{title} must be a whole number, such as {example}.</source>
        <translation>{title}は{example}のような整数でなければなりません。</translation>
    </message>
    <message>
        <source>{title} must be a number, such as {example}.</source>
        <translation>{title}は{example}のような数値でなければなりません。</translation>
    </message>
    <message>
        <source>Parameters of this thread</source>
        <translation>このスレッドのパラメーター</translation>
    </message>
    <message>
        <source>Parameters of the project {name}</source>
        <translation>プロジェクト{name}のパラメーター</translation>
    </message>
    <message>
        <source>Parameters of {name}</source>
        <translation>{name}のパラメーター</translation>
    </message>
    <message>
        <source>Parameters of the assistant</source>
        <translation>アシスタントのパラメーター</translation>
    </message>
    <message>
        <source>The model</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>Used from the next answer on.</source>
        <translation>次の回答から使われます。</translation>
    </message>
    <message>
        <source>Used in threads that have none of their own.</source>
        <translation>独自の値がないスレッドで使われます。</translation>
    </message>
    <message>
        <source>{others} or {last}</source>
        <translation>{others}または{last}</translation>
    </message>
    <message>
        <source>{model} has no {parameters}.</source>
        <translation>{model}に{parameters}はありません。</translation>
    </message>
    <message>
        <source>Parameters: {parameters}</source>
        <translation>パラメーター: {parameters}</translation>
    </message>
    <message>
        <source>change the parameters</source>
        <translation>パラメーターの変更</translation>
    </message>
    <message>
        <source>Saved. The next answer is made with these parameters.</source>
        <translation>保存しました。次の回答はこのパラメーターで作られます。</translation>
    </message>
    <message>
        <source>Saved for all threads of the project that have none of their own.</source>
        <translation>独自の値がない、プロジェクトのすべてのスレッド用に保存しました。</translation>
    </message>
    <message>
        <source>Send it there</source>
        <translation>そこへ送信</translation>
    </message>
    <message>
        <source>Keep the temporary chat?</source>
        <translation>一時チャットを保存しますか？</translation>
    </message>
    <message>
        <source>Nothing of it is stored. Keep it as a thread like any other, or let it go for good.</source>
        <translation>何も保存されていません。通常のスレッドとして保存するか、完全に破棄してください。</translation>
    </message>
    <message>
        <source>Do not keep</source>
        <translation>保存しない</translation>
    </message>
    <message>
        <source>Keep</source>
        <translation>保存</translation>
    </message>
    <message>
        <source>Keep and go on</source>
        <translation>保存して続ける</translation>
    </message>
    <message>
        <source>The chat is kept as soon as the answer is written.</source>
        <translation>回答が書き終わりしだい、このチャットは保存されます。</translation>
    </message>
    <message>
        <source>Kept. It is a thread like any other now.</source>
        <translation>保存しました。通常のスレッドになりました。</translation>
    </message>
    <message>
        <source>Temporary chat</source>
        <translation>一時チャット</translation>
    </message>
    <message>
        <source>Go to the temporary chat</source>
        <translation>一時チャットへ移動</translation>
    </message>
    <message>
        <source>Save code</source>
        <translation>コードを保存</translation>
    </message>
    <message>
        <source>Save a copy</source>
        <translation>コピーを保存</translation>
    </message>
    <message>
        <source>Page of an answer</source>
        <translation>回答のページ</translation>
    </message>
    <message>
        <source>No browser could be opened.</source>
        <translation>ブラウザーを開けませんでした。</translation>
    </message>
    <message>
        <source>Choose a browser in the settings of your system, or save the page as a file.</source>
        <translation>システムの設定でブラウザーを選ぶか、ページをファイルとして保存してください。</translation>
    </message>
    <message>
        <source>Opened in your browser</source>
        <translation>ブラウザーで開きました</translation>
    </message>
    <message>
        <source>Saved to {name}</source>
        <translation>{name}に保存しました</translation>
    </message>
    <message>
        <source>The message is unchanged.</source>
        <translation>メッセージは変わっていません。</translation>
    </message>
    <message>
        <source>Undone</source>
        <translation>元に戻しました</translation>
    </message>
    <message>
        <source>Redo</source>
        <translation>やり直す</translation>
    </message>
    <message>
        <source>Redo</source>
        <comment>a step</comment>
        <translation>やり直す</translation>
    </message>
    <message>
        <source>This cannot be undone: {label}.</source>
        <translation>元に戻せません: {label}。</translation>
    </message>
    <message>
        <source>{words} Before it: {older}, which was left as it is.</source>
        <translation>{words} その前の操作: {older}。これはそのままです。</translation>
    </message>
    <message>
        <source>Undo that, too</source>
        <translation>それも元に戻す</translation>
    </message>
    <message>
        <source>Redone</source>
        <translation>やり直しました</translation>
    </message>
    <message>
        <source>{what} in “{title}”: {label}</source>
        <translation>「{title}」の{what}: {label}</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages moved to the trash</source>
        <comment>Message moved to the trash</comment>
        <translation>
            <numerusform>{count}件のメッセージをゴミ箱に移しました</numerusform>
        </translation>
    </message>
    <message>
        <source>your question</source>
        <translation>質問</translation>
    </message>
    <message>
        <source>your draft</source>
        <translation>下書き</translation>
    </message>
    <message>
        <source>your artifact</source>
        <translation>アーティファクト</translation>
    </message>
    <message numerus="yes">
        <source>{names} are not saved yet, but kept here. ChatDesk tries again.</source>
        <comment>{names} is not saved yet, but kept here. ChatDesk tries again.</comment>
        <translation>
            <numerusform>{names}はまだ保存されていませんが、ここに残っています。ChatDeskが再試行します。</numerusform>
        </translation>
    </message>
    <message>
        <source>Version {number} of {count}, edited by you</source>
        <translation>バージョン{number}/{count}、自分が編集</translation>
    </message>
    <message>
        <source>Version {number} of {count}</source>
        <translation>バージョン{number}/{count}</translation>
    </message>
    <message>
        <source>Version {number} of {count}, edited by {name}</source>
        <translation>バージョン{number}/{count}、{name}が編集</translation>
    </message>
    <message>
        <source>Version {number} of {count}, by {name}</source>
        <translation>バージョン{number}/{count}、{name}作成</translation>
    </message>
    <message>
        <source>Sent when the answer is complete:</source>
        <translation>回答の完了後に送信:</translation>
    </message>
    <message>
        <source>Not sent: the answer before was not completed. Send it now, or edit it.</source>
        <translation>未送信: 前の回答が完了しませんでした。今すぐ送信するか、編集してください。</translation>
    </message>
    <message>
        <source>There is only one model yet: add another in Settings</source>
        <translation>モデルがまだ1つしかありません。設定で追加してください</translation>
    </message>
    <message>
        <source>Kept. The other answers stay as versions.</source>
        <translation>残しました。ほかの回答はバージョンとして残ります。</translation>
    </message>
    <message>
        <source>Compare models</source>
        <translation>モデルを比較</translation>
    </message>
    <message>
        <source>Search models</source>
        <translation>モデルを検索</translation>
    </message>
    <message>
        <source>Compare</source>
        <translation>比較</translation>
    </message>
    <message>
        <source>Your questions in this thread go to {fewest} to {most} models at once, and each model costs what it costs alone. You keep the answer you like.</source>
        <translation>このスレッドの質問は同時に{fewest}から{most}個のモデルに送られ、それぞれに単独の場合と同じ費用がかかります。気に入った回答を残せます。</translation>
    </message>
    <message>
        <source>All passages of the project&apos;s files, and later what changes in them and each question, go to {provider}.</source>
        <translation>プロジェクトのファイルのすべての箇所と、その後の変更と各質問が{provider}に送られます。</translation>
    </message>
    <message>
        <source>It is a server on this computer.</source>
        <translation>これはこのコンピューター上のサーバーです。</translation>
    </message>
    <message>
        <source>They leave this computer.</source>
        <translation>内容はこのコンピューターの外に出ます。</translation>
    </message>
    <message>
        <source>Now that is {texts}, about {tokens} tokens, in {requests}.</source>
        <translation>現時点では{texts}、約{tokens}トークン、{requests}です。</translation>
    </message>
    <message numerus="yes">
        <source>{count} passages</source>
        <comment>{count} passage</comment>
        <translation>
            <numerusform>{count}件の箇所</numerusform>
        </translation>
    </message>
    <message>
        <source>The price of {model} is not known.</source>
        <translation>{model}の価格は不明です。</translation>
    </message>
    <message>
        <source>That costs about ${dollars}.</source>
        <translation>費用は約${dollars}です。</translation>
    </message>
    <message>
        <source>the vectors that come with ChatDesk</source>
        <translation>ChatDesk付属のベクトル</translation>
    </message>
    <message>
        <source>Found by meaning with {name}.</source>
        <translation>{name}で意味から検索しました。</translation>
    </message>
    <message>
        <source>{done} of {total} passages have vectors of {name}, which answers once all have.</source>
        <translation>{total}件中{done}件の箇所に{name}のベクトルがあります。すべてそろうと使われます。</translation>
    </message>
    <message numerus="yes">
        <source>{count} passages wait for it.</source>
        <comment>{count} passage waits for it.</comment>
        <translation>
            <numerusform>{count}件の箇所が待機中です。</numerusform>
        </translation>
    </message>
    <message>
        <source>The last question was compared by the vectors that come with ChatDesk: {reason}</source>
        <translation>前回の質問はChatDesk付属のベクトルで比較しました: {reason}</translation>
    </message>
    <message>
        <source>{model} of {provider}</source>
        <translation>{provider}の{model}</translation>
    </message>
    <message>
        <source>An answer is ready</source>
        <translation>回答ができました</translation>
    </message>
    <message>
        <source>An answer failed</source>
        <translation>回答に失敗しました</translation>
    </message>
    <message>
        <source>{server_name} waits for your approval</source>
        <translation>{server_name}が承認を待っています</translation>
    </message>
    <message>
        <source>ChatDesk cannot be started at login from here.</source>
        <translation>ここからはログイン時にChatDeskを起動できません。</translation>
    </message>
    <message>
        <source>Add it to the programs that your system starts at login.</source>
        <translation>ログイン時にシステムが起動するプログラムに追加してください。</translation>
    </message>
    <message>
        <source>The file for starting at login could not be changed: {strerror}.</source>
        <translation>ログイン時の起動用ファイルを変更できませんでした: {strerror}。</translation>
    </message>
    <message>
        <source>Open</source>
        <translation>開く</translation>
    </message>
    <message>
        <source>They show the quick window in whatever program you are.</source>
        <translation>どのプログラムを使っていても、クイックウィンドウを表示します。</translation>
    </message>
    <message>
        <source>The environment variable {name} decides this.</source>
        <translation>環境変数{name}で決められています。</translation>
    </message>
    <message>
        <source>Keys for a quick question</source>
        <translation>クイック質問のキー</translation>
    </message>
    <message>
        <source>Command: {command}</source>
        <translation>コマンド: {command}</translation>
    </message>
    <message>
        <source>Copy the command</source>
        <translation>コマンドをコピー</translation>
    </message>
    <message>
        <source>Asking the desktop for the keys. It may show you a question.</source>
        <translation>デスクトップにキーを要求しています。確認が表示されることがあります。</translation>
    </message>
    <message>
        <source>The desktop shows it at: {keys}.</source>
        <translation>デスクトップでの表示: {keys}。</translation>
    </message>
    <message>
        <source>The keys work.</source>
        <translation>キーを使えます。</translation>
    </message>
    <message>
        <source>The desktop did not give ChatDesk these keys. Try again, or bind this command to keys in your desktop&apos;s settings:</source>
        <translation>デスクトップがこれらのキーをChatDeskに割り当てませんでした。もう一度試すか、デスクトップの設定でこのコマンドをキーに割り当ててください:</translation>
    </message>
    <message>
        <source>The desktop has no name for {keys}. Choose other keys, or bind this command in your desktop&apos;s settings:</source>
        <translation>デスクトップに{keys}の名前がありません。別のキーを選ぶか、デスクトップの設定でこのコマンドを割り当ててください:</translation>
    </message>
    <message>
        <source>This desktop gives no keys to programs. Bind this command to keys in your desktop&apos;s settings:</source>
        <translation>このデスクトップはプログラムにキーを割り当てません。デスクトップの設定でこのコマンドをキーに割り当ててください:</translation>
    </message>
    <message numerus="yes">
        <source>{count} answers being written</source>
        <comment>{count} answer being written</comment>
        <translation>
            <numerusform>{count}件の回答を書き込み中</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} unread messages</source>
        <comment>{count} unread message</comment>
        <translation>
            <numerusform>{count}件の未読メッセージ</numerusform>
        </translation>
    </message>
    <message>
        <source>Open ChatDesk</source>
        <translation>ChatDeskを開く</translation>
    </message>
    <message>
        <source>Quit ChatDesk</source>
        <translation>ChatDeskを終了</translation>
    </message>
    <message>
        <source>The summary is out of date and not sent. Make it again to have it sent.</source>
        <translation>要約が古いため送られません。送るには作り直してください。</translation>
    </message>
    <message>
        <source>summary out of date</source>
        <translation>要約が古い</translation>
    </message>
    <message numerus="yes">
        <source>≈ {count} tokens</source>
        <comment>≈ {count} token</comment>
        <translation>
            <numerusform>≈ {count}トークン</numerusform>
        </translation>
    </message>
    <message>
        <source>About {used} of {window} tokens are taken; {reserved} are kept for the answer.</source>
        <translation>{window}のうち約{used}トークンを使用中。{reserved}は回答用に確保されます。</translation>
    </message>
    <message>
        <source>{used} of {window} tokens are taken; {reserved} are kept for the answer.</source>
        <translation>{window}のうち{used}トークンを使用中。{reserved}は回答用に確保されます。</translation>
    </message>
    <message>
        <source>Your message alone does not fit: shorten it, attach it, or choose a larger model.</source>
        <translation>メッセージだけで収まりません。短くするか、添付するか、より大きなモデルを選んでください。</translation>
    </message>
    <message numerus="yes">
        <source>It is full: {count} older messages stay behind because of what you are writing.</source>
        <comment>It is full: {count} older message stays behind because of what you are writing.</comment>
        <translation>
            <numerusform>いっぱいです。書いている内容のため、古い{count}件のメッセージは送られません。</numerusform>
        </translation>
    </message>
    <message>
        <source>It is full: the oldest messages stay behind when you send.</source>
        <translation>いっぱいです。送信すると最も古いメッセージは送られません。</translation>
    </message>
    <message>
        <source>{free} tokens are free before older messages stay behind.</source>
        <translation>古いメッセージが送られなくなるまで、あと{free}トークンです。</translation>
    </message>
    <message>
        <source>The count is an estimate for this model.</source>
        <translation>このモデルでは推定値です。</translation>
    </message>
    <message>
        <source>Context</source>
        <translation>コンテキスト</translation>
    </message>
    <message>
        <source>Summary</source>
        <translation>要約</translation>
    </message>
    <message>
        <source>Usage</source>
        <translation>使用量</translation>
    </message>
    <message>
        <source>Tree</source>
        <translation>ツリー</translation>
    </message>
    <message>
        <source>Questions</source>
        <translation>質問</translation>
    </message>
    <message>
        <source>Artifacts</source>
        <translation>アーティファクト</translation>
    </message>
    <message>
        <source>Pinned: it goes with every question of this thread</source>
        <translation>固定: このスレッドのすべての質問と一緒に送られます</translation>
    </message>
    <message>
        <source>Left out of this thread</source>
        <translation>このスレッドから除外</translation>
    </message>
    <message>
        <source>Sent where it fits the question</source>
        <translation>質問に合う場合に送られます</translation>
    </message>
    <message>
        <source>Hide the inspector</source>
        <translation>インスペクターを隠す</translation>
    </message>
    <message>
        <source>Show the inspector</source>
        <translation>インスペクターを表示</translation>
    </message>
    <message>
        <source>Request copied</source>
        <translation>リクエストをコピーしました</translation>
    </message>
    <message>
        <source>The summary is being made in the background</source>
        <translation>要約をバックグラウンドで作成中です</translation>
    </message>
    <message>
        <source>The older messages of this thread no longer fit.</source>
        <translation>このスレッドの古いメッセージが収まらなくなりました。</translation>
    </message>
    <message>
        <source>{taken} so far.</source>
        <translation>ここまで{taken}。</translation>
    </message>
    <message>
        <source>No price is known for {model}.</source>
        <translation>{model}の価格は不明です。</translation>
    </message>
    <message>
        <source>Until then only the newest messages are sent.</source>
        <translation>それまでは新しいメッセージだけが送られます。</translation>
    </message>
    <message numerus="yes">
        <source>Summarising the older messages: {requests} of about {count} requests, {spent}.</source>
        <comment>Summarising the older messages: {requests} of about {count} request, {spent}.</comment>
        <translation>
            <numerusform>古いメッセージを要約中: 約{count}件のリクエストのうち{requests}件、{spent}。</numerusform>
        </translation>
    </message>
    <message>
        <source>Older messages summarised: {taken}</source>
        <translation>古いメッセージを要約しました: {taken}</translation>
    </message>
    <message numerus="yes">
        <source>Summarising them with {model} takes about {count} requests and {tokens} tokens.</source>
        <comment>Summarising them with {model} takes about {count} request and {tokens} tokens.</comment>
        <translation>
            <numerusform>{model}での要約には約{count}件のリクエストと{tokens}トークンが必要です。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Summarising them with {model} takes about {count} requests and {tokens} tokens, at no cost.</source>
        <comment>Summarising them with {model} takes about {count} request and {tokens} tokens, at no cost.</comment>
        <translation>
            <numerusform>{model}での要約には約{count}件のリクエストと{tokens}トークンが必要です(無料)。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Summarising them with {model} takes about {count} requests and {tokens} tokens, about {cost}.</source>
        <comment>Summarising them with {model} takes about {count} request and {tokens} tokens, about {cost}.</comment>
        <translation>
            <numerusform>{model}での要約には約{count}件のリクエストと{tokens}トークン、約{cost}が必要です。</numerusform>
        </translation>
    </message>
    <message>
        <source>the server&apos;s own model</source>
        <translation>サーバーのモデル</translation>
    </message>
    <message numerus="yes">
        <source>{count} requests, {spent}</source>
        <comment>{count} request, {spent}</comment>
        <translation>
            <numerusform>{count}件のリクエスト、{spent}</numerusform>
        </translation>
    </message>
    <message>
        <source>{tokens} tokens, {cost}</source>
        <translation>{tokens}トークン、{cost}</translation>
    </message>
    <message>
        <source>{tokens} tokens</source>
        <translation>{tokens}トークン</translation>
    </message>
    <message>
        <source>Summarise</source>
        <translation>要約</translation>
    </message>
    <message>
        <source>Not now</source>
        <translation>後で</translation>
    </message>
    <message>
        <source>Pinned into the context</source>
        <translation>コンテキストに固定しました</translation>
    </message>
    <message>
        <source>Excluded from the context</source>
        <translation>コンテキストから除外しました</translation>
    </message>
    <message>
        <source>Sent as it fits</source>
        <translation>収まる範囲で送られます</translation>
    </message>
    <message>
        <source>The context starts here</source>
        <translation>コンテキストはここから始まります</translation>
    </message>
    <message>
        <source>The context starts at the beginning</source>
        <translation>コンテキストは最初から始まります</translation>
    </message>
    <message>
        <source>Pinned</source>
        <translation>ピン留めしました</translation>
    </message>
    <message>
        <source>No longer pinned</source>
        <translation>ピン留めを外しました</translation>
    </message>
    <message>
        <source>Archived</source>
        <translation>アーカイブしました</translation>
    </message>
    <message>
        <source>Out of the archive</source>
        <translation>アーカイブを解除しました</translation>
    </message>
    <message>
        <source>Moved to the trash</source>
        <translation>ゴミ箱に移しました</translation>
    </message>
    <message>
        <source>Restored</source>
        <translation>復元しました</translation>
    </message>
    <message>
        <source>Moved to {name}</source>
        <translation>{name}に移動しました</translation>
    </message>
    <message>
        <source>Tags changed</source>
        <translation>タグを変更しました</translation>
    </message>
    <message>
        <source>1 thread</source>
        <translation>1件のスレッド</translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads for good?</source>
        <comment>Delete this thread for good?</comment>
        <translation>
            <numerusform>{count}件のスレッドを完全に削除しますか？</numerusform>
        </translation>
    </message>
    <message>
        <source>{title}: all messages are removed. This cannot be undone.</source>
        <translation>{title}: すべてのメッセージが削除されます。元に戻せません。</translation>
    </message>
    <message>
        <source>Delete for good</source>
        <translation>完全に削除</translation>
    </message>
    <message>
        <source>The trash is empty.</source>
        <translation>ゴミ箱は空です。</translation>
    </message>
    <message>
        <source>Empty the trash?</source>
        <translation>ゴミ箱を空にしますか？</translation>
    </message>
    <message>
        <source>Empty the trash</source>
        <translation>ゴミ箱を空にする</translation>
    </message>
    <message>
        <source>delete for good</source>
        <translation>完全に削除</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads are gone.</source>
        <comment>{count} thread is gone.</comment>
        <translation>
            <numerusform>{count}件のスレッドを削除しました。</numerusform>
        </translation>
    </message>
    <message>
        <source>rename tag</source>
        <translation>タグ名を変更</translation>
    </message>
    <message>
        <source>The tag is called {name} now</source>
        <translation>タグの名前を{name}に変更しました</translation>
    </message>
    <message>
        <source>The tag was deleted; its threads stay</source>
        <translation>タグを削除しました。スレッドは残ります</translation>
    </message>
    <message numerus="yes">
        <source>Pin {count} threads</source>
        <comment>Pin thread</comment>
        <translation>
            <numerusform>{count}件のスレッドをピン留め</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Unpin {count} threads</source>
        <comment>Unpin thread</comment>
        <translation>
            <numerusform>{count}件のスレッドのピン留めを外す</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Archive {count} threads</source>
        <comment>Archive thread</comment>
        <translation>
            <numerusform>{count}件のスレッドをアーカイブ</numerusform>
        </translation>
    </message>
    <message>
        <source>Take out of the archive</source>
        <translation>アーカイブを解除</translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads for good…</source>
        <comment>Delete thread for good…</comment>
        <translation>
            <numerusform>{count}件のスレッドを完全に削除…</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads</source>
        <comment>Delete thread</comment>
        <translation>
            <numerusform>{count}件のスレッドを削除</numerusform>
        </translation>
    </message>
    <message>
        <source>Sort threads by last activity</source>
        <translation>スレッドを最終更新順に並べ替え</translation>
    </message>
    <message>
        <source>Sort threads by name</source>
        <translation>スレッドを名前順に並べ替え</translation>
    </message>
    <message>
        <source>Group threads by date</source>
        <translation>スレッドを日付別にまとめる</translation>
    </message>
    <message>
        <source>Group threads by project</source>
        <translation>スレッドをプロジェクト別にまとめる</translation>
    </message>
    <message>
        <source>Sorted by name</source>
        <translation>名前順に並べ替えました</translation>
    </message>
    <message>
        <source>Sorted by last activity</source>
        <translation>最終更新順に並べ替えました</translation>
    </message>
    <message>
        <source>Grouped by project</source>
        <translation>プロジェクト別にまとめました</translation>
    </message>
    <message>
        <source>Grouped by date</source>
        <translation>日付別にまとめました</translation>
    </message>
    <message>
        <source>Move to a project</source>
        <translation>プロジェクトに移動</translation>
    </message>
    <message>
        <source>Move to a project: {what}</source>
        <translation>プロジェクトに移動: {what}</translation>
    </message>
    <message>
        <source>Teal</source>
        <translation>青緑</translation>
    </message>
    <message>
        <source>Blue</source>
        <translation>青</translation>
    </message>
    <message>
        <source>Indigo</source>
        <translation>藍色</translation>
    </message>
    <message>
        <source>Purple</source>
        <translation>紫</translation>
    </message>
    <message>
        <source>Magenta</source>
        <translation>マゼンタ</translation>
    </message>
    <message>
        <source>Red</source>
        <translation>赤</translation>
    </message>
    <message>
        <source>Orange</source>
        <translation>オレンジ</translation>
    </message>
    <message>
        <source>Olive</source>
        <translation>オリーブ</translation>
    </message>
    <message>
        <source>Green</source>
        <translation>緑</translation>
    </message>
    <message>
        <source>Slate</source>
        <translation>スレート</translation>
    </message>
    <message>
        <source>The current colour</source>
        <translation>現在の色</translation>
    </message>
    <message>
        <source>New project</source>
        <translation>新しいプロジェクト</translation>
    </message>
    <message>
        <source>Edit project</source>
        <translation>プロジェクトを編集</translation>
    </message>
    <message>
        <source>Name of the project</source>
        <translation>プロジェクトの名前</translation>
    </message>
    <message>
        <source>Name</source>
        <translation>名前</translation>
    </message>
    <message>
        <source>Colour</source>
        <translation>色</translation>
    </message>
    <message>
        <source>New threads begin with</source>
        <translation>新しいスレッドの開始時の設定</translation>
    </message>
    <message>
        <source>Folder of the project</source>
        <translation>プロジェクトのフォルダー</translation>
    </message>
    <message>
        <source>Folder on this computer, for tools (optional)</source>
        <translation>ツールが使うこのコンピューターのフォルダー(省略可)</translation>
    </message>
    <message>
        <source>Create</source>
        <translation>作成</translation>
    </message>
    <message>
        <source>Instructions</source>
        <translation>指示</translation>
    </message>
    <message>
        <source>For example: answer as an editor would, in British English.</source>
        <translation>例: 編集者のように、です・ます調で答えてください。</translation>
    </message>
    <message>
        <source>Instructions for its threads (optional)</source>
        <translation>スレッドへの指示(省略可)</translation>
    </message>
    <message>
        <source>Model that new threads begin with</source>
        <translation>新しいスレッドを始めるモデル</translation>
    </message>
    <message>
        <source>The model chosen in the settings</source>
        <translation>設定で選んだモデル</translation>
    </message>
    <message>
        <source>Archive</source>
        <translation>アーカイブ</translation>
    </message>
    <message>
        <source>Move out of the archive</source>
        <translation>アーカイブを解除</translation>
    </message>
    <message>
        <source>Archive</source>
        <comment>verb</comment>
        <translation>アーカイブ</translation>
    </message>
    <message>
        <source>Delete…</source>
        <translation>削除…</translation>
    </message>
    <message>
        <source>All projects</source>
        <translation>すべてのプロジェクト</translation>
    </message>
    <message>
        <source>Edit {name}…</source>
        <translation>{name}を編集…</translation>
    </message>
    <message>
        <source>Sharing of {name}…</source>
        <translation>{name}の共有…</translation>
    </message>
    <message>
        <source>Share {name}…</source>
        <translation>{name}を共有…</translation>
    </message>
    <message>
        <source>In the trash</source>
        <translation>ゴミ箱内</translation>
    </message>
    <message>
        <source>add project</source>
        <translation>プロジェクトを追加</translation>
    </message>
    <message>
        <source>change project</source>
        <translation>プロジェクトを変更</translation>
    </message>
    <message>
        <source>The project was changed</source>
        <translation>プロジェクトを変更しました</translation>
    </message>
    <message>
        <source>archive project</source>
        <translation>プロジェクトをアーカイブ</translation>
    </message>
    <message>
        <source>unarchive project</source>
        <translation>プロジェクトのアーカイブを解除</translation>
    </message>
    <message>
        <source>Archived: {name}</source>
        <translation>アーカイブしました: {name}</translation>
    </message>
    <message>
        <source>Out of the archive: {name}</source>
        <translation>アーカイブを解除しました: {name}</translation>
    </message>
    <message>
        <source>Delete the project “{name}”?</source>
        <translation>プロジェクト「{name}」を削除しますか？</translation>
    </message>
    <message>
        <source>Move to trash</source>
        <translation>ゴミ箱に移す</translation>
    </message>
    <message>
        <source>Moved to the trash: {name}</source>
        <translation>ゴミ箱に移しました: {name}</translation>
    </message>
    <message>
        <source>The project was restored</source>
        <translation>プロジェクトを復元しました</translation>
    </message>
    <message>
        <source>Take project out of the archive</source>
        <translation>プロジェクトのアーカイブを解除</translation>
    </message>
    <message>
        <source>Archive project</source>
        <translation>プロジェクトをアーカイブ</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads go to the trash with it ({archived} archived).</source>
        <comment>{count} thread goes to the trash with it ({archived} archived).</comment>
        <translation>
            <numerusform>{count}件のスレッド(うちアーカイブ済み{archived}件)も一緒にゴミ箱に移ります。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads go to the trash with it.</source>
        <comment>{count} thread goes to the trash with it.</comment>
        <translation>
            <numerusform>{count}件のスレッドも一緒にゴミ箱に移ります。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>All of it can be restored for {count} days.</source>
        <comment>All of it can be restored for {count} day.</comment>
        <translation>
            <numerusform>{count}日間はすべて復元できます。</numerusform>
        </translation>
    </message>
    <message>
        <source>{name} ({number}, made {day})</source>
        <translation>{name}({number}、作成日{day})</translation>
    </message>
    <message numerus="yes">
        <source>{count} threads of all projects, with all messages, will be removed. This cannot be undone.</source>
        <comment>{count} thread of all projects, with all messages, will be removed. This cannot be undone.</comment>
        <translation>
            <numerusform>すべてのプロジェクトの{count}件のスレッドが、すべてのメッセージとともに削除されます。元に戻せません。</numerusform>
        </translation>
    </message>
    <message>
        <source>In shared projects it erases for everyone what you wrote, or all of it where you are an owner or admin. The rest is hidden on this computer only.</source>
        <translation>共有プロジェクトでは、自分が書いたもの(所有者か管理者の場合はすべて)が全員分消去されます。ほかはこのコンピューターでのみ非表示になります。</translation>
    </message>
    <message>
        <source>Tags: {what}</source>
        <translation>タグ: {what}</translation>
    </message>
    <message>
        <source>New tag</source>
        <translation>新しいタグ</translation>
    </message>
    <message>
        <source>Rename</source>
        <translation>名前を変更</translation>
    </message>
    <message>
        <source>There are no tags yet. Put one on a thread with “Tags…” in its menu.</source>
        <translation>まだタグがありません。スレッドのメニューの「タグ…」で付けてください。</translation>
    </message>
    <message>
        <source>Close the open dialog first, then open the link again. Nothing was changed.</source>
        <translation>先に開いているダイアログを閉じてから、もう一度リンクを開いてください。何も変更されていません。</translation>
    </message>
    <message>
        <source>The message of the link is not shown in this thread: it was deleted, or is in another version.</source>
        <translation>リンクのメッセージはこのスレッドに表示されていません。削除されたか、別のバージョンにあります。</translation>
    </message>
    <message>
        <source>The thread of this link is not on this computer.</source>
        <translation>このリンクのスレッドはこのコンピューターにありません。</translation>
    </message>
    <message>
        <source>If it belongs to a project that is shared with you, wait until it is synced, then open the link again.</source>
        <translation>共有されているプロジェクトのものなら、同期されるのを待ってから、もう一度リンクを開いてください。</translation>
    </message>
    <message>
        <source>A temporary chat has no link, because nothing of it is stored.</source>
        <translation>一時チャットは何も保存されないため、リンクがありません。</translation>
    </message>
    <message>
        <source>Link copied. It opens the thread on your computers that have it.</source>
        <translation>リンクをコピーしました。このスレッドがある自分のコンピューターで開けます。</translation>
    </message>
    <message>
        <source>Revoke the token “{name}”?</source>
        <translation>トークン「{name}」を失効させますか？</translation>
    </message>
    <message>
        <source>Programs that use it are refused from now on, and what they are doing ends. This cannot be undone.</source>
        <translation>これを使うプログラムは今後拒否され、実行中の処理は終了します。元に戻せません。</translation>
    </message>
    <message>
        <source>Revoke</source>
        <translation>失効</translation>
    </message>
    <message>
        <source>Editors, scripts and browsers of this computer read, write and ask over HTTP, with a token of yours.</source>
        <translation>このコンピューターのエディター、スクリプト、ブラウザーが、トークンを使いHTTPで読み書きや質問を行います。</translation>
    </message>
    <message>
        <source>Turn the service on to make tokens and to see the existing ones.</source>
        <translation>トークンの作成と確認を行うには、サービスをオンにしてください。</translation>
    </message>
    <message>
        <source>There are no tokens. Each program gets one of its own.</source>
        <translation>トークンはありません。プログラムごとに1つ作成します。</translation>
    </message>
    <message>
        <source>The environment variable {fixed_by} decides this.</source>
        <translation>環境変数{fixed_by}で決められています。</translation>
    </message>
    <message>
        <source>Copy address</source>
        <translation>アドレスをコピー</translation>
    </message>
    <message>
        <source>New token…</source>
        <translation>新しいトークン…</translation>
    </message>
    <message>
        <source>On, at {address}</source>
        <translation>オン、{address}</translation>
    </message>
    <message>
        <source>Starting…</source>
        <translation>起動中…</translation>
    </message>
    <message>
        <source>Tokens</source>
        <comment>access</comment>
        <translation>アクセストークン</translation>
    </message>
    <message>
        <source>Tokens</source>
        <translation>トークン</translation>
    </message>
    <message>
        <source>The address is in the clipboard.</source>
        <translation>アドレスをクリップボードにコピーしました。</translation>
    </message>
    <message>
        <source>Revoke…</source>
        <translation>失効…</translation>
    </message>
    <message>
        <source>Revoke {name}</source>
        <translation>{name}を失効</translation>
    </message>
    <message>
        <source>a project in the trash</source>
        <translation>ゴミ箱内のプロジェクト</translation>
    </message>
    <message>
        <source>all projects</source>
        <translation>すべてのプロジェクト</translation>
    </message>
    <message>
        <source>until {moment}</source>
        <translation>{moment}まで</translation>
    </message>
    <message>
        <source>last used {moment}</source>
        <translation>最終使用{moment}</translation>
    </message>
    <message>
        <source>30 days</source>
        <translation>30日</translation>
    </message>
    <message>
        <source>90 days</source>
        <translation>90日</translation>
    </message>
    <message>
        <source>A year</source>
        <translation>1年</translation>
    </message>
    <message>
        <source>Until it is revoked</source>
        <translation>失効させるまで</translation>
    </message>
    <message>
        <source>New token</source>
        <translation>新しいトークン</translation>
    </message>
    <message>
        <source>What will use it</source>
        <translation>これを使うもの</translation>
    </message>
    <message>
        <source>For example: editor</source>
        <translation>例: エディター</translation>
    </message>
    <message>
        <source>Valid for</source>
        <translation>有効期間</translation>
    </message>
    <message>
        <source>The token</source>
        <translation>トークン</translation>
    </message>
    <message>
        <source>Copy the token</source>
        <translation>トークンをコピー</translation>
    </message>
    <message>
        <source>Make token</source>
        <translation>トークンを作成</translation>
    </message>
    <message>
        <source>In these projects only</source>
        <translation>これらのプロジェクトのみ</translation>
    </message>
    <message>
        <source>None chosen: in all of them.</source>
        <translation>選択なし: すべてのプロジェクト。</translation>
    </message>
    <message>
        <source>This is the token for “{name}”. It is shown only now and stored nowhere: copy it to where it is used.</source>
        <translation>「{name}」のトークンです。表示は今回限りで、どこにも保存されません。使う場所にコピーしてください。</translation>
    </message>
    <message>
        <source>It may</source>
        <translation>許可すること</translation>
    </message>
    <message>
        <source>Say what will use it.</source>
        <translation>これを使うものを入力してください。</translation>
    </message>
    <message>
        <source>Choose what it may do.</source>
        <translation>許可することを選んでください。</translation>
    </message>
    <message>
        <source>Making the token…</source>
        <translation>トークンを作成中…</translation>
    </message>
    <message>
        <source>The token is in the clipboard.</source>
        <translation>トークンをクリップボードにコピーしました。</translation>
    </message>
    <message>
        <source>Text size {percent}%</source>
        <translation>文字サイズ {percent}%</translation>
    </message>
    <message>
        <source>Assistant</source>
        <translation>アシスタント</translation>
    </message>
    <message>
        <source>Assistant: {name}</source>
        <translation>アシスタント: {name}</translation>
    </message>
    <message>
        <source>No assistant</source>
        <translation>アシスタントなし</translation>
    </message>
    <message>
        <source>Edit assistants…</source>
        <translation>アシスタントを編集…</translation>
    </message>
    <message>
        <source>choose assistant</source>
        <translation>アシスタントを選択</translation>
    </message>
    <message>
        <source>Assistants, files and resources</source>
        <translation>アシスタント、ファイル、リソース</translation>
    </message>
    <message>
        <source>Their instructions, models, tools and files</source>
        <translation>指示、モデル、ツール、ファイル</translation>
    </message>
    <message>
        <source>New assistant…</source>
        <translation>新しいアシスタント…</translation>
    </message>
    <message>
        <source>A prompt with a model, tools and files of its own, asked with @</source>
        <translation>専用のモデル、ツール、ファイルを持つプロンプト。@で質問します</translation>
    </message>
    <message numerus="yes">
        <source>{count} names, arrows choose, Enter takes it, Esc closes.</source>
        <comment>{count} name, arrows choose, Enter takes it, Esc closes.</comment>
        <translation>
            <numerusform>{count}件の名前。矢印キーで選択、Enterで決定、Escで閉じます。</numerusform>
        </translation>
    </message>
    <message>
        <source>Files of the assistant</source>
        <translation>アシスタントのファイル</translation>
    </message>
    <message>
        <source>Sparkles</source>
        <translation>きらめき</translation>
    </message>
    <message>
        <source>Brain</source>
        <translation>脳</translation>
    </message>
    <message>
        <source>Light bulb</source>
        <translation>電球</translation>
    </message>
    <message>
        <source>Wand</source>
        <translation>魔法の杖</translation>
    </message>
    <message>
        <source>Pencil</source>
        <translation>鉛筆</translation>
    </message>
    <message>
        <source>Code</source>
        <translation>コード</translation>
    </message>
    <message>
        <source>Terminal</source>
        <translation>ターミナル</translation>
    </message>
    <message>
        <source>Magnifier</source>
        <translation>虫眼鏡</translation>
    </message>
    <message>
        <source>Languages</source>
        <translation>言語</translation>
    </message>
    <message>
        <source>Letter</source>
        <translation>手紙</translation>
    </message>
    <message>
        <source>Checklist</source>
        <translation>チェックリスト</translation>
    </message>
    <message>
        <source>Table</source>
        <translation>表</translation>
    </message>
    <message>
        <source>Database</source>
        <translation>データベース</translation>
    </message>
    <message>
        <source>Palette</source>
        <translation>パレット</translation>
    </message>
    <message>
        <source>Picture</source>
        <translation>画像</translation>
    </message>
    <message>
        <source>Gauge</source>
        <translation>メーター</translation>
    </message>
    <message>
        <source>Star</source>
        <translation>星</translation>
    </message>
    <message>
        <source>Person</source>
        <translation>人</translation>
    </message>
    <message>
        <source>People</source>
        <translation>人々</translation>
    </message>
    <message>
        <source>As in the thread</source>
        <translation>スレッドと同じ</translation>
    </message>
    <message>
        <source>Icon</source>
        <translation>アイコン</translation>
    </message>
    <message>
        <source>Model that answers</source>
        <translation>回答するモデル</translation>
    </message>
    <message>
        <source>Find by meaning with</source>
        <translation>意味の検索に使うもの</translation>
    </message>
    <message>
        <source>The vectors that come with ChatDesk are made on this computer and know English best. A model for embeddings of a provider knows more languages, and gets the texts of the files.</source>
        <translation>ChatDesk付属のベクトルはこのコンピューター上で作成され、英語を最も得意とします。プロバイダーの埋め込み用モデルはより多くの言語に対応しますが、ファイルのテキストが送られます。</translation>
    </message>
    <message>
        <source>Who makes the vectors</source>
        <translation>ベクトルの作成元</translation>
    </message>
    <message>
        <source>ChatDesk, on this computer</source>
        <translation>このコンピューター上のChatDesk</translation>
    </message>
    <message>
        <source>Model for embeddings</source>
        <translation>埋め込み用モデル</translation>
    </message>
    <message>
        <source>Vectors by</source>
        <translation>ベクトルの作成元</translation>
    </message>
    <message>
        <source>Model</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>Parameters</source>
        <translation>パラメーター</translation>
    </message>
    <message numerus="yes">
        <source>{count} values set</source>
        <comment>{count} value set</comment>
        <translation>
            <numerusform>{count}個の値を設定</numerusform>
        </translation>
    </message>
    <message>
        <source>{provider}, not set up here</source>
        <translation>{provider}、ここでは未設定</translation>
    </message>
    <message>
        <source>No tools</source>
        <translation>ツールなし</translation>
    </message>
    <message>
        <source>Add files…</source>
        <translation>ファイルを追加…</translation>
    </message>
    <message>
        <source>This computer has no keyring that could keep the key. Keep it in ChatDesk&apos;s encrypted file of keys instead; you enter its passphrase once after each start.</source>
        <translation>このコンピューターには、キーを保管できるキーリングがありません。代わりにChatDeskの暗号化キーファイルに保管してください。起動のたびに一度、パスフレーズを入力します。</translation>
    </message>
    <message>
        <source>Folder that something carries between your computers</source>
        <translation>自分のコンピューターの間で同期されるフォルダー</translation>
    </message>
    <message>
        <source>Browse…</source>
        <translation>参照…</translation>
    </message>
    <message>
        <source>Choose the folder</source>
        <translation>フォルダーを選ぶ</translation>
    </message>
    <message>
        <source>Recovery phrase</source>
        <translation>リカバリーフレーズ</translation>
    </message>
    <message>
        <source>I have written it down, or saved it</source>
        <translation>書き留めたか、保存しました</translation>
    </message>
    <message>
        <source>Copy the phrase</source>
        <translation>フレーズをコピー</translation>
    </message>
    <message>
        <source>Save to print…</source>
        <translation>印刷用に保存…</translation>
    </message>
    <message>
        <source>Your other computers need this recovery phrase, and with it alone you get your chats back. Whoever has it and the folder can read everything. It is not shown again.</source>
        <translation>ほかのコンピューターではこのリカバリーフレーズが必要です。これだけでチャットを取り戻せます。これとフォルダーを持つ人は、すべてを読むことができます。再び表示されることはありません。</translation>
    </message>
    <message>
        <source>Recovery phrase of ChatDesk for my computers: {phrase}</source>
        <translation>自分のコンピューター用のChatDeskのリカバリーフレーズ: {phrase}</translation>
    </message>
    <message>
        <source>The phrase is in the clipboard.</source>
        <translation>フレーズをクリップボードにコピーしました。</translation>
    </message>
    <message>
        <source>Save the recovery phrase</source>
        <translation>リカバリーフレーズを保存</translation>
    </message>
    <message>
        <source>ChatDesk recovery phrase.txt</source>
        <translation>ChatDeskリカバリーフレーズ.txt</translation>
    </message>
    <message>
        <source>Start with this computer</source>
        <translation>このコンピューターで始める</translation>
    </message>
    <message>
        <source>Check the folder</source>
        <translation>フォルダーを確認</translation>
    </message>
    <message>
        <source>Start</source>
        <translation>開始</translation>
    </message>
    <message>
        <source>Writing into the folder…</source>
        <translation>フォルダーに書き込んでいます…</translation>
    </message>
    <message>
        <source>Looking at the folder…</source>
        <translation>フォルダーを確認しています…</translation>
    </message>
    <message>
        <source>Join your computers</source>
        <translation>自分のコンピューターに参加</translation>
    </message>
    <message>
        <source>Recovery phrase, as it was shown on the other computer</source>
        <translation>リカバリーフレーズ(ほかのコンピューターに表示されたもの)</translation>
    </message>
    <message>
        <source>Look inside</source>
        <translation>中を確認</translation>
    </message>
    <message>
        <source>Joining…</source>
        <translation>参加しています…</translation>
    </message>
    <message>
        <source>Looking into the folder…</source>
        <translation>フォルダーの中を確認しています…</translation>
    </message>
    <message>
        <source>Remove {name}</source>
        <translation>{name}を外す</translation>
    </message>
    <message>
        <source>{name} keeps, and can read, everything that it had. It gets nothing new, and what it writes from now on reaches none of your other computers. These need the new phrase below: choose Join again on each.</source>
        <translation>{name}には、これまでの内容がすべて残り、読むことができます。新しいものは届かず、今後書いたものはほかのコンピューターに届きません。ほかのコンピューターには下の新しいフレーズが必要です。それぞれで「もう一度参加」を選んでください。</translation>
    </message>
    <message>
        <source>Removing the computer…</source>
        <translation>コンピューターを外しています…</translation>
    </message>
    <message>
        <source>{title}: {detail}</source>
        <translation>{title}: {detail}</translation>
    </message>
    <message>
        <source>Still to fill in: {missing}.</source>
        <translation>未入力: {missing}。</translation>
    </message>
    <message>
        <source>The prompt was not inserted: another thread is open now.</source>
        <translation>別のスレッドが開かれたため、プロンプトは挿入されませんでした。</translation>
    </message>
    <message>
        <source>There is no text in the clipboard.</source>
        <translation>クリップボードにテキストがありません。</translation>
    </message>
    <message>
        <source>Nothing is selected in the thread.</source>
        <translation>スレッドで何も選択されていません。</translation>
    </message>
    <message>
        <source>Message {name} — drop files here, / for prompts</source>
        <translation>{name}へのメッセージ — ここにファイルをドロップ、/でプロンプト</translation>
    </message>
    <message>
        <source>Fill in: {prompt_name}</source>
        <translation>入力: {prompt_name}</translation>
    </message>
    <message>
        <source>Insert</source>
        <translation>挿入</translation>
    </message>
    <message>
        <source>Template, for the composer</source>
        <translation>テンプレート(入力欄用)</translation>
    </message>
    <message>
        <source>System prompt</source>
        <translation>システムプロンプト</translation>
    </message>
    <message>
        <source>Quick action, below an answer</source>
        <translation>クイックアクション(回答の下)</translation>
    </message>
    <message>
        <source>Assistant, with @</source>
        <translation>アシスタント(@で指定)</translation>
    </message>
    <message>
        <source>{{date}} {{time}} {{clipboard}} {{selection}} {{project}} {{model}} {{thread}} are filled in. Any other name, such as {{topic}}, {{topic:default}} or {{tone|formal|casual}}, is asked for.</source>
        <translation>{{date}} {{time}} {{clipboard}} {{selection}} {{project}} {{model}} {{thread}}は自動で入ります。{{topic}}、{{topic:default}}、{{tone|formal|casual}}などほかの名前は入力を求められます。</translation>
    </message>
    <message>
        <source>Choosing it below an answer, in its menu or in the search asks this about the answer. The variables of templates are filled in; where one is asked for, the text goes into the composer first.</source>
        <translation>回答の下、そのメニュー、または検索で選ぶと、回答についてこれを質問します。テンプレートの変数は自動で入り、入力が必要なものがある場合は先に入力欄に入ります。</translation>
    </message>
    <message>
        <source>{{date}} {{time}} {{project}} {{model}} are filled in each time it is sent.</source>
        <translation>{{date}} {{time}} {{project}} {{model}}は送信のたびに入ります。</translation>
    </message>
    <message>
        <source>The text is its instructions, sent in place of the system prompt. Choose it below the message for a whole thread, or type @ for one question.</source>
        <translation>本文は指示で、システムプロンプトの代わりに送られます。スレッド全体で使うにはメッセージの下で選び、1つの質問だけなら@を入力してください。</translation>
    </message>
    <message>
        <source>Name of the prompt</source>
        <translation>プロンプトの名前</translation>
    </message>
    <message>
        <source>Kind of prompt</source>
        <translation>プロンプトの種類</translation>
    </message>
    <message>
        <source>Text of the prompt</source>
        <translation>プロンプトの本文</translation>
    </message>
    <message>
        <source>What the prompt says</source>
        <translation>プロンプトの内容</translation>
    </message>
    <message>
        <source>Prompts (*.json)</source>
        <translation>プロンプト (*.json)</translation>
    </message>
    <message>
        <source>Something went wrong. Nothing was stored; the text is kept here.</source>
        <translation>問題が発生しました。何も保存されていません。本文はここに残っています。</translation>
    </message>
    <message>
        <source>add prompt</source>
        <translation>プロンプトを追加</translation>
    </message>
    <message>
        <source>delete prompt</source>
        <translation>プロンプトを削除</translation>
    </message>
    <message>
        <source>edit prompt</source>
        <translation>プロンプトを編集</translation>
    </message>
    <message>
        <source>Import prompts</source>
        <translation>プロンプトをインポート</translation>
    </message>
    <message>
        <source>Export prompts</source>
        <translation>プロンプトをエクスポート</translation>
    </message>
    <message>
        <source>import prompts</source>
        <translation>プロンプトをインポート</translation>
    </message>
    <message numerus="yes">
        <source>Added: {count} prompts. What was there already stays as it is.</source>
        <comment>Added: {count} prompt. What was there already stays as it is.</comment>
        <translation>
            <numerusform>{count}件のプロンプトを追加しました。すでにあったものはそのままです。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Exported: {count} prompts to {name}.</source>
        <comment>Exported: {count} prompt to {name}.</comment>
        <translation>
            <numerusform>{count}件のプロンプトを{name}にエクスポートしました。</numerusform>
        </translation>
    </message>
    <message>
        <source>All prompts</source>
        <translation>すべてのプロンプト</translation>
    </message>
    <message>
        <source>Templates</source>
        <translation>テンプレート</translation>
    </message>
    <message>
        <source>System prompts</source>
        <translation>システムプロンプト</translation>
    </message>
    <message>
        <source>Quick actions</source>
        <translation>クイックアクション</translation>
    </message>
    <message>
        <source>Assistants</source>
        <translation>アシスタント</translation>
    </message>
    <message>
        <source>Deleted: {name}</source>
        <translation>削除しました: {name}</translation>
    </message>
    <message>
        <source>New</source>
        <translation>新規</translation>
    </message>
    <message>
        <source>Undo deleting the prompt</source>
        <translation>プロンプトの削除を元に戻す</translation>
    </message>
    <message>
        <source>Duplicate</source>
        <translation>複製</translation>
    </message>
    <message>
        <source>Revert</source>
        <translation>変更を破棄</translation>
    </message>
    <message numerus="yes">
        <source>{count} more: type part of a name.</source>
        <comment>{count} more: type part of a name.</comment>
        <translation>
            <numerusform>ほか{count}件: 名前の一部を入力してください。</numerusform>
        </translation>
    </message>
    <message>
        <source>Make your last answer shorter. Keep what matters most.</source>
        <translation>前回の回答を短くしてください。最も大切なことは残してください。</translation>
    </message>
    <message>
        <source>Make your last answer longer. Go into more detail.</source>
        <translation>前回の回答を長くしてください。もっと詳しく説明してください。</translation>
    </message>
    <message>
        <source>Asked below this answer. What came after it stays as another version.</source>
        <translation>この回答の下で質問しました。この後のものは別のバージョンとして残ります。</translation>
    </message>
    <message>
        <source>Quick action: {name}</source>
        <translation>クイックアクション: {name}</translation>
    </message>
    <message>
        <source>Select something in the thread first.</source>
        <translation>先にスレッドで何か選択してください。</translation>
    </message>
    <message>
        <source>From {name}</source>
        <translation>{name}より</translation>
    </message>
    <message>
        <source>{title}, from {name}</source>
        <translation>{title}、{name}より</translation>
    </message>
    <message>
        <source>Asking {server} for “{title}”…</source>
        <translation>{server}に「{title}」を問い合わせ中…</translation>
    </message>
    <message>
        <source>{server} wrote this text. Read it before you send it.</source>
        <translation>{server}がこの文章を書きました。送る前に読んでください。</translation>
    </message>
    <message>
        <source>“{title}” came while you were typing.</source>
        <translation>入力中に「{title}」が届きました。</translation>
    </message>
    <message>
        <source>{label} (optional)</source>
        <translation>{label}(省略可)</translation>
    </message>
    <message>
        <source>System prompt of this thread</source>
        <translation>このスレッドのシステムプロンプト</translation>
    </message>
    <message>
        <source>System prompt of the project</source>
        <translation>プロジェクトのシステムプロンプト</translation>
    </message>
    <message>
        <source>Sent before the messages with every question. {{date}}, {{time}}, {{project}} and {{model}} are filled in each time.</source>
        <translation>質問のたびにメッセージの前に送られます。{{date}}、{{time}}、{{project}}、{{model}}は毎回自動で入ります。</translation>
    </message>
    <message>
        <source>System prompts of the library</source>
        <translation>ライブラリのシステムプロンプト</translation>
    </message>
    <message>
        <source>From the library</source>
        <translation>ライブラリから</translation>
    </message>
    <message>
        <source>Save to the library</source>
        <translation>ライブラリに保存</translation>
    </message>
    <message>
        <source>This thread</source>
        <translation>このスレッド</translation>
    </message>
    <message>
        <source>Project {name}</source>
        <translation>プロジェクト{name}</translation>
    </message>
    <message>
        <source>Sent in every thread of the project that has none of its own.</source>
        <translation>独自のものがない、プロジェクトのすべてのスレッドで送られます。</translation>
    </message>
    <message>
        <source>The project has none: in threads without their own, the default from the settings is sent.</source>
        <translation>プロジェクトにはありません。独自のものがないスレッドでは、設定の既定が送られます。</translation>
    </message>
    <message>
        <source>The project has none: in threads without their own, no system prompt is sent.</source>
        <translation>プロジェクトにはありません。独自のものがないスレッドでは、システムプロンプトは送られません。</translation>
    </message>
    <message>
        <source>This thread&apos;s own system prompt is sent.</source>
        <translation>このスレッドのシステムプロンプトが送られます。</translation>
    </message>
    <message>
        <source>This thread has none: the project&apos;s is sent.</source>
        <translation>このスレッドにはありません。プロジェクトのものが送られます。</translation>
    </message>
    <message>
        <source>Neither thread nor project has one: the default from the settings is sent.</source>
        <translation>スレッドにもプロジェクトにもありません。設定の既定が送られます。</translation>
    </message>
    <message>
        <source>Neither thread nor project has one: no system prompt is sent.</source>
        <translation>スレッドにもプロジェクトにもありません。システムプロンプトは送られません。</translation>
    </message>
    <message numerus="yes">
        <source>About {count} tokens of the {window} that the model can read go to it in every request.</source>
        <comment>About {count} token of the {window} that the model can read go to it in every request.</comment>
        <translation>
            <numerusform>モデルが読める{window}のうち、約{count}トークンがリクエストごとに使われます。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens of the {window} that the model can read go to it in every request.</source>
        <comment>{count} token of the {window} that the model can read go to it in every request.</comment>
        <translation>
            <numerusform>モデルが読める{window}のうち、{count}トークンがリクエストごとに使われます。</numerusform>
        </translation>
    </message>
    <message>
        <source>Shorten it, or choose a model with a larger window.</source>
        <translation>短くするか、ウィンドウの大きいモデルを選んでください。</translation>
    </message>
    <message numerus="yes">
        <source>About {count} tokens: it leaves no room for a message in the {window} that the model can read.</source>
        <comment>About {count} token: it leaves no room for a message in the {window} that the model can read.</comment>
        <translation>
            <numerusform>約{count}トークン: モデルが読める{window}にメッセージの余地がありません。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens: it leaves no room for a message in the {window} that the model can read.</source>
        <comment>{count} token: it leaves no room for a message in the {window} that the model can read.</comment>
        <translation>
            <numerusform>{count}トークン: モデルが読める{window}にメッセージの余地がありません。</numerusform>
        </translation>
    </message>
    <message>
        <source>An imported system prompt is sent with your question.</source>
        <translation>インポートしたシステムプロンプトが質問と一緒に送られます。</translation>
    </message>
    <message>
        <source>{name} changed the system prompt; it is sent with your question.</source>
        <translation>{name}がシステムプロンプトを変更しました。質問と一緒に送られます。</translation>
    </message>
    <message>
        <source>A temporary chat has the instructions of its project.</source>
        <translation>一時チャットではプロジェクトの指示が使われます。</translation>
    </message>
    <message>
        <source>Saved to the library: {name}</source>
        <translation>ライブラリに保存しました: {name}</translation>
    </message>
    <message>
        <source>change system prompt</source>
        <translation>システムプロンプトを変更</translation>
    </message>
    <message>
        <source>The system prompt was changed</source>
        <translation>システムプロンプトを変更しました</translation>
    </message>
    <message>
        <source>{what} Agree only if you made this change yourself and trust that server.</source>
        <translation>{what} 自分でこの変更を行い、そのサーバーを信頼する場合にのみ同意してください。</translation>
    </message>
    <message>
        <source>Your name for it</source>
        <translation>表示名</translation>
    </message>
    <message>
        <source>Sees images</source>
        <translation>画像</translation>
    </message>
    <message>
        <source>$ in / 1M</source>
        <translation>入力 $/1M</translation>
    </message>
    <message>
        <source>$ out / 1M</source>
        <translation>出力 $/1M</translation>
    </message>
    <message>
        <source>Offered when a model is chosen.</source>
        <translation>モデルを選ぶときに表示されます。</translation>
    </message>
    <message>
        <source>The id of the model at its server.</source>
        <translation>サーバーでのモデルのid。</translation>
    </message>
    <message>
        <source>The name under which it is offered.</source>
        <translation>表示される名前。</translation>
    </message>
    <message>
        <source>Whether images are sent to it. A dash means unknown.</source>
        <translation>画像を送るかどうか。ダッシュは不明を表します。</translation>
    </message>
    <message>
        <source>How many tokens it reads at once, such as 128k.</source>
        <translation>一度に読めるトークン数(128kなど)。</translation>
    </message>
    <message>
        <source>US dollars for a million tokens that it reads.</source>
        <translation>読み込む100万トークンあたりの米ドル。</translation>
    </message>
    <message>
        <source>US dollars for a million tokens that it writes.</source>
        <translation>書き出す100万トークンあたりの米ドル。</translation>
    </message>
    <message>
        <source>not known</source>
        <translation>不明</translation>
    </message>
    <message>
        <source>yes</source>
        <translation>はい</translation>
    </message>
    <message>
        <source>no</source>
        <translation>いいえ</translation>
    </message>
    <message>
        <source>Change the passphrase</source>
        <translation>パスフレーズを変更</translation>
    </message>
    <message>
        <source>Keys are locked</source>
        <translation>キーがロックされています</translation>
    </message>
    <message>
        <source>The current passphrase</source>
        <translation>現在のパスフレーズ</translation>
    </message>
    <message>
        <source>Passphrase</source>
        <translation>パスフレーズ</translation>
    </message>
    <message>
        <source>The new passphrase again</source>
        <translation>新しいパスフレーズをもう一度</translation>
    </message>
    <message>
        <source>The keys of your providers are in a file that a passphrase encrypts. You enter it once after each start.</source>
        <translation>プロバイダーのキーは、パスフレーズで暗号化されたファイルにあります。起動のたびに一度入力します。</translation>
    </message>
    <message>
        <source>Change</source>
        <translation>変更</translation>
    </message>
    <message>
        <source>The two new passphrases are not the same.</source>
        <translation>2つの新しいパスフレーズが一致しません。</translation>
    </message>
    <message>
        <source>Remove {label}?</source>
        <translation>{label}を外しますか？</translation>
    </message>
    <message>
        <source>Its key is forgotten. Threads keep their answers; a thread that used it asks for another model.</source>
        <translation>キーは削除されます。スレッドの回答は残り、これを使っていたスレッドでは別のモデルを求められます。</translation>
    </message>
    <message>
        <source>{problem} Nothing was sent; see Settings, Providers.</source>
        <translation>{problem} 何も送られていません。「設定」の「プロバイダー」を確認してください。</translation>
    </message>
    <message>
        <source>Chat completions, which every server has</source>
        <translation>Chat Completions(すべてのサーバーが対応)</translation>
    </message>
    <message>
        <source>Responses, where the server has it</source>
        <translation>Responses(サーバーが対応している場合)</translation>
    </message>
    <message>
        <source>Anthropic&apos;s messages</source>
        <translation>AnthropicのMessages</translation>
    </message>
    <message>
        <source>Address</source>
        <translation>アドレス</translation>
    </message>
    <message>
        <source>localhost:8080 or https://…</source>
        <translation>localhost:8080またはhttps://…</translation>
    </message>
    <message>
        <source>Protocol</source>
        <translation>プロトコル</translation>
    </message>
    <message>
        <source>Use this provider</source>
        <translation>このプロバイダーを使う</translation>
    </message>
    <message>
        <source>Set by the variable OPENAI_BASE_URL, so it cannot be changed here.</source>
        <translation>変数OPENAI_BASE_URLで設定されているため、ここでは変更できません。</translation>
    </message>
    <message>
        <source>Enter the address of the server.</source>
        <translation>サーバーのアドレスを入力してください。</translation>
    </message>
    <message>
        <source>Enter the name of your resource in the address.</source>
        <translation>アドレスにリソースの名前を入力してください。</translation>
    </message>
    <message>
        <source>Stop the test</source>
        <translation>テストを停止</translation>
    </message>
    <message>
        <source>Test</source>
        <translation>テスト</translation>
    </message>
    <message>
        <source>API key</source>
        <translation>APIキー</translation>
    </message>
    <message>
        <source>More settings</source>
        <translation>その他の設定</translation>
    </message>
    <message>
        <source>Remove…</source>
        <translation>外す…</translation>
    </message>
    <message>
        <source>In the system keyring</source>
        <translation>システムのキーリング</translation>
    </message>
    <message>
        <source>For this run only</source>
        <translation>この実行のみ</translation>
    </message>
    <message>
        <source>In a file that a passphrase encrypts</source>
        <translation>パスフレーズで暗号化したファイル</translation>
    </message>
    <message>
        <source>Replace</source>
        <translation>置き換え</translation>
    </message>
    <message>
        <source>Replace the key</source>
        <translation>キーを置き換え</translation>
    </message>
    <message>
        <source>Forget</source>
        <translation>削除</translation>
    </message>
    <message>
        <source>Forget the key</source>
        <translation>キーを削除</translation>
    </message>
    <message>
        <source>Use it there…</source>
        <translation>そこで使う…</translation>
    </message>
    <message>
        <source>Use the kept key at this server</source>
        <translation>保管されたキーをこのサーバーで使う</translation>
    </message>
    <message>
        <source>Paste the key</source>
        <translation>キーを貼り付け</translation>
    </message>
    <message>
        <source>Get a key</source>
        <translation>キーを取得</translation>
    </message>
    <message>
        <source>Where the key is kept</source>
        <translation>キーの保管場所</translation>
    </message>
    <message>
        <source>Passphrase of the file of keys</source>
        <translation>キーファイルのパスフレーズ</translation>
    </message>
    <message>
        <source>{place}; it has precedence over a stored key, so it cannot be changed here</source>
        <translation>{place}。保管されたキーより優先されるため、ここでは変更できません</translation>
    </message>
    <message>
        <source>The kept key is used at this server from now on.</source>
        <translation>今後、保管されたキーをこのサーバーで使います。</translation>
    </message>
    <message>
        <source>Key, if the server asks for one</source>
        <translation>キー(サーバーが求める場合)</translation>
    </message>
    <message>
        <source>The passphrase of the file</source>
        <translation>ファイルのパスフレーズ</translation>
    </message>
    <message>
        <source>It is never written in plain text.</source>
        <translation>平文で書き込まれることはありません。</translation>
    </message>
    <message>
        <source>{why}: choose where the key is kept.</source>
        <translation>{why}: キーの保管場所を選んでください。</translation>
    </message>
    <message>
        <source>Models of {label}</source>
        <translation>{label}のモデル</translation>
    </message>
    <message>
        <source>Arrows move, Space ticks, F2 or typing changes a cell.</source>
        <translation>矢印キーで移動、Spaceで選択、F2か入力でセルを変更します。</translation>
    </message>
    <message>
        <source>Id of a model that is missing</source>
        <translation>一覧にないモデルのid</translation>
    </message>
    <message>
        <source>Fetch the list again</source>
        <translation>一覧を再取得</translation>
    </message>
    <message>
        <source>The team does not see it</source>
        <translation>チームには表示しない</translation>
    </message>
    <message>
        <source>The team sees its name</source>
        <translation>チームに名前を表示する</translation>
    </message>
    <message>
        <source>The team gets its text</source>
        <translation>チームにテキストを渡す</translation>
    </message>
    <message>
        <source>Files of {project}</source>
        <translation>{project}のファイル</translation>
    </message>
    <message>
        <source>ChatDesk reads these on this computer, keeps them current, and sends the passages that fit a question with it. The answer names them.</source>
        <translation>ChatDeskはこれらをこのコンピューター上で読み込み、最新に保ち、質問に合う箇所を質問と一緒に送ります。回答にはその箇所が示されます。</translation>
    </message>
    <message>
        <source>Folders, files and pages</source>
        <translation>フォルダー、ファイル、ページ</translation>
    </message>
    <message>
        <source>Folder, file or address to add</source>
        <translation>追加するフォルダー、ファイル、またはアドレス</translation>
    </message>
    <message>
        <source>Path of a folder or file, or https://…</source>
        <translation>フォルダーかファイルのパス、またはhttps://…</translation>
    </message>
    <message>
        <source>Folder…</source>
        <translation>フォルダー…</translation>
    </message>
    <message>
        <source>Add a folder</source>
        <translation>フォルダーを追加</translation>
    </message>
    <message>
        <source>File…</source>
        <translation>ファイル…</translation>
    </message>
    <message>
        <source>Add a file</source>
        <translation>ファイルを追加</translation>
    </message>
    <message>
        <source>Add</source>
        <translation>追加</translation>
    </message>
    <message>
        <source>Last here</source>
        <translation>最後に使用</translation>
    </message>
    <message>
        <source>Waiting</source>
        <translation>待機中</translation>
    </message>
    <message>
        <source>Size</source>
        <translation>サイズ</translation>
    </message>
    <message>
        <source>Computers</source>
        <translation>コンピューター</translation>
    </message>
    <message>
        <source>Remove this computer…</source>
        <translation>このコンピューターを外す…</translation>
    </message>
    <message>
        <source>Pause</source>
        <translation>一時停止</translation>
    </message>
    <message>
        <source>Resume</source>
        <translation>再開</translation>
    </message>
    <message>
        <source>Have the same chats on all computers of yours. A folder that something carries between them is enough: Syncthing, Nextcloud, Dropbox, a network drive or a USB stick. Everything is encrypted before it is written there.</source>
        <translation>すべての自分のコンピューターで同じチャットを使えます。Syncthing、Nextcloud、Dropbox、ネットワークドライブ、USBメモリなど、間で同期されるフォルダーがあれば十分です。すべて暗号化してから書き込まれます。</translation>
    </message>
    <message>
        <source>Start…</source>
        <translation>開始…</translation>
    </message>
    <message>
        <source>Join…</source>
        <translation>参加…</translation>
    </message>
    <message>
        <source>The first computer</source>
        <translation>最初のコンピューター</translation>
    </message>
    <message>
        <source>Choose an empty folder. You get a recovery phrase, which your other computers need.</source>
        <translation>空のフォルダーを選んでください。ほかのコンピューターで必要なリカバリーフレーズが表示されます。</translation>
    </message>
    <message>
        <source>A further computer, or a new one</source>
        <translation>2台目以降、または新しいコンピューター</translation>
    </message>
    <message>
        <source>Choose the same folder and give the phrase. You see whose it is before anything is merged.</source>
        <translation>同じフォルダーを選び、フレーズを入力してください。統合する前に、誰のフォルダーかを確認できます。</translation>
    </message>
    <message>
        <source>Join again…</source>
        <translation>もう一度参加…</translation>
    </message>
    <message>
        <source>Forget the folder…</source>
        <translation>フォルダーの使用をやめる…</translation>
    </message>
    <message>
        <source>older files</source>
        <translation>古いファイル</translation>
    </message>
    <message>
        <source>Read again</source>
        <translation>再読み込み</translation>
    </message>
    <message>
        <source>Left out…</source>
        <translation>除外…</translation>
    </message>
    <message>
        <source>Choose what of the folder is left out</source>
        <translation>フォルダーから除外するものを選ぶ</translation>
    </message>
    <message>
        <source>Secrets…</source>
        <translation>秘密情報…</translation>
    </message>
    <message>
        <source>Choose which files that look like secrets are read</source>
        <translation>秘密情報のように見えるファイルのうち、読み込むものを選ぶ</translation>
    </message>
    <message>
        <source>What the team gets</source>
        <translation>チームに渡すもの</translation>
    </message>
    <message>
        <source>With the text, members&apos; computers get all passages. Where a member chose a provider&apos;s model for the vectors, it gets them, too.</source>
        <translation>テキストも渡すと、メンバーのコンピューターにすべての箇所が届きます。メンバーがベクトルにプロバイダーのモデルを選んでいる場合は、そのプロバイダーにも届きます。</translation>
    </message>
    <message>
        <source>Change…</source>
        <translation>変更…</translation>
    </message>
    <message>
        <source>Change what makes the vectors</source>
        <translation>ベクトルの作成元を変更</translation>
    </message>
    <message>
        <source>Who gets them…</source>
        <translation>送信先…</translation>
    </message>
    <message>
        <source>Choose which providers get the files</source>
        <translation>ファイルを受け取るプロバイダーを選ぶ</translation>
    </message>
    <message>
        <source>Try a question</source>
        <translation>質問を試す</translation>
    </message>
    <message>
        <source>Try a question: what would be found?</source>
        <translation>質問を試す: 何が見つかりますか？</translation>
    </message>
    <message>
        <source>What would be found</source>
        <translation>見つかる箇所</translation>
    </message>
    <message>
        <source>Kept questions…</source>
        <translation>保存した質問…</translation>
    </message>
    <message>
        <source>Keep questions and run them again</source>
        <translation>質問を保存して、もう一度実行する</translation>
    </message>
    <message numerus="yes">
        <source>and {count} more</source>
        <comment>and {count} more</comment>
        <translation>
            <numerusform>ほか{count}件</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} passages found</source>
        <comment>{count} passage found</comment>
        <translation>
            <numerusform>{count}件の箇所が見つかりました</numerusform>
        </translation>
    </message>
    <message>
        <source>Go on reading</source>
        <translation>読み込みを再開</translation>
    </message>
    <message>
        <source>shared by the team</source>
        <translation>チームで共有</translation>
    </message>
    <message>
        <source>being listed</source>
        <translation>一覧を作成中</translation>
    </message>
    <message>
        <source>last read {when}</source>
        <translation>最終読み込み{when}</translation>
    </message>
    <message>
        <source>Add the model</source>
        <translation>モデルを追加</translation>
    </message>
    <message>
        <source>What you type comes before what the server says. Prices are used for costs and limits.</source>
        <translation>入力した内容はサーバーの情報より優先されます。価格は費用と上限に使われます。</translation>
    </message>
    <message>
        <source>As the system</source>
        <translation>システムに従う</translation>
    </message>
    <message>
        <source>Connection</source>
        <translation>接続</translation>
    </message>
    <message>
        <source>First word</source>
        <translation>最初の語</translation>
    </message>
    <message>
        <source>Silence</source>
        <translation>無応答</translation>
    </message>
    <message>
        <source>Model for new threads</source>
        <translation>新しいスレッドのモデル</translation>
    </message>
    <message>
        <source>Only those of the system</source>
        <translation>システムのもののみ</translation>
    </message>
    <message>
        <source>The usual time</source>
        <translation>標準の時間</translation>
    </message>
    <message>
        <source>Organisation</source>
        <translation>組織</translation>
    </message>
    <message>
        <source>Proxy</source>
        <translation>プロキシ</translation>
    </message>
    <message>
        <source>As the system, none, or an address such as http://proxy.example:3128</source>
        <translation>システムに従う、なし、またはhttp://proxy.example:3128のようなアドレス</translation>
    </message>
    <message>
        <source>File of certificates</source>
        <translation>証明書のファイル</translation>
    </message>
    <message>
        <source>Choose a file of certificates</source>
        <translation>証明書のファイルを選択</translation>
    </message>
    <message>
        <source>Headers, one a line as Name: value</source>
        <translation>ヘッダー(1行に1つ、Name: valueの形式)</translation>
    </message>
    <message>
        <source>{what}, seconds</source>
        <translation>{what}、秒</translation>
    </message>
    <message>
        <source>Certificates to trust in addition to the system&apos;s</source>
        <translation>システムのものに加えて信頼する証明書</translation>
    </message>
    <message>
        <source>Headers; values that are keys are stored with your keys</source>
        <translation>ヘッダー。キーである値はキーと一緒に保管されます</translation>
    </message>
    <message>
        <source>Seconds to wait for</source>
        <translation>待つ秒数</translation>
    </message>
    <message>
        <source>Certificates (*.pem *.crt *.cer);;All files (*)</source>
        <translation>証明書 (*.pem *.crt *.cer);;すべてのファイル (*)</translation>
    </message>
    <message>
        <source>{what} must be a number of seconds.</source>
        <translation>{what}は秒数でなければなりません。</translation>
    </message>
    <message>
        <source>Stopped</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>The picture that is sent with the question</source>
        <translation>質問と一緒に送られる画像</translation>
    </message>
    <message>
        <source>Clipboard</source>
        <translation>クリップボード</translation>
    </message>
    <message>
        <source>Selection</source>
        <translation>選択範囲</translation>
    </message>
    <message>
        <source>Screenshot</source>
        <translation>スクリーンショット</translation>
    </message>
    <message>
        <source>There is no text on the clipboard.</source>
        <translation>クリップボードにテキストがありません。</translation>
    </message>
    <message>
        <source>No text is selected in another window.</source>
        <translation>ほかのウィンドウでテキストが選択されていません。</translation>
    </message>
    <message numerus="yes">
        <source>{name}, only the first {count} characters</source>
        <comment>{name}, only the first {count} character</comment>
        <translation>
            <numerusform>{name}、先頭の{count}文字のみ</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{name}, {count} characters</source>
        <comment>{name}, {count} character</comment>
        <translation>
            <numerusform>{name}、{count}文字</numerusform>
        </translation>
    </message>
    <message>
        <source>Ask anything</source>
        <translation>何でも質問してください</translation>
    </message>
    <message>
        <source>Add the clipboard</source>
        <translation>クリップボードを追加</translation>
    </message>
    <message>
        <source>Add the selection</source>
        <translation>選択範囲を追加</translation>
    </message>
    <message>
        <source>Add a screenshot</source>
        <translation>スクリーンショットを追加</translation>
    </message>
    <message>
        <source>New</source>
        <comment>question</comment>
        <translation>新規</translation>
    </message>
    <message>
        <source>Open in ChatDesk</source>
        <translation>ChatDeskで開く</translation>
    </message>
    <message>
        <source>{words}: leave it out</source>
        <translation>{words}: 外す</translation>
    </message>
    <message>
        <source>Choose a part of the screen</source>
        <translation>画面の一部を選択</translation>
    </message>
    <message>
        <source>Drag over a part, or press Enter for what is framed. Arrows move the frame, Shift+arrows change its size, Alt makes small steps, Esc leaves.</source>
        <translation>ドラッグして範囲を選ぶか、Enterで枠内を選びます。矢印キーで枠を移動、Shift+矢印で大きさを変更、Altで小刻みに、Escで終了します。</translation>
    </message>
    <message>
        <source>This desktop lets programs take no picture of the screen.</source>
        <translation>このデスクトップでは、プログラムが画面を撮影できません。</translation>
    </message>
    <message>
        <source>Nothing was taken.</source>
        <translation>何も撮影されませんでした。</translation>
    </message>
    <message>
        <source>Take one with the desktop&apos;s own program, and paste it into a message in the large window.</source>
        <translation>デスクトップのプログラムで撮影し、大きいウィンドウでメッセージに貼り付けてください。</translation>
    </message>
    <message>
        <source>The desktop gave no file with the picture.</source>
        <translation>デスクトップから画像のファイルが渡されませんでした。</translation>
    </message>
    <message>
        <source>The picture of the screen is too large.</source>
        <translation>画面の画像が大きすぎます。</translation>
    </message>
    <message>
        <source>The desktop&apos;s picture of the screen cannot be read.</source>
        <translation>デスクトップが撮影した画面の画像を読み取れません。</translation>
    </message>
    <message>
        <source>Making a backup…</source>
        <translation>バックアップを作成中…</translation>
    </message>
    <message>
        <source>Checking… This reads everything and can take a while.</source>
        <translation>確認中… すべてを読み込むため、しばらくかかることがあります。</translation>
    </message>
    <message>
        <source>Checking and repairing…</source>
        <translation>確認と修復中…</translation>
    </message>
    <message>
        <source>Writing the zip…</source>
        <translation>zipを書き込み中…</translation>
    </message>
    <message>
        <source>Checking the database</source>
        <translation>データベースを確認中</translation>
    </message>
    <message>
        <source>Repairing the database</source>
        <translation>データベースを修復中</translation>
    </message>
    <message>
        <source>Another window has this data directory open.</source>
        <translation>別のウィンドウがこのデータディレクトリを開いています。</translation>
    </message>
    <message>
        <source>The backup was made: {name}</source>
        <translation>バックアップを作成しました: {name}</translation>
    </message>
    <message>
        <source>Nothing is wrong.</source>
        <translation>問題はありません。</translation>
    </message>
    <message>
        <source>Save everything as a zip</source>
        <translation>すべてをzipとして保存</translation>
    </message>
    <message>
        <source>Everything was saved to {name}.</source>
        <translation>すべてを{name}に保存しました。</translation>
    </message>
    <message>
        <source>and {lost} more</source>
        <translation>ほか{lost}</translation>
    </message>
    <message numerus="yes">
        <source>All but {count} attachments were saved to {name}:</source>
        <comment>All but {count} attachment was saved to {name}:</comment>
        <translation>
            <numerusform>{count}個の添付ファイルを除くすべてを{name}に保存しました:</numerusform>
        </translation>
    </message>
    <message>
        <source>Import and export</source>
        <translation>インポートとエクスポート</translation>
    </message>
    <message>
        <source>Take over chats from ChatGPT, Claude and others, or write yours as Markdown, web pages, PDF or JSON.</source>
        <translation>ChatGPTやClaudeなどのチャットを引き継ぐか、自分のチャットをMarkdown、Webページ、PDF、JSONとして書き出します。</translation>
    </message>
    <message>
        <source>Back up and restore</source>
        <translation>バックアップと復元</translation>
    </message>
    <message>
        <source>ChatDesk makes a backup each day and before each upgrade, and checks each one.</source>
        <translation>ChatDeskは毎日、また各アップグレードの前にバックアップを作成し、それぞれを検証します。</translation>
    </message>
    <message>
        <source>Save everything as a zip…</source>
        <translation>すべてをzipとして保存…</translation>
    </message>
    <message>
        <source>Show folder</source>
        <translation>フォルダーを表示</translation>
    </message>
    <message>
        <source>Restore…</source>
        <translation>復元…</translation>
    </message>
    <message>
        <source>Check reads everything that is stored. Repair makes a copy first and says what it changed.</source>
        <translation>「確認」は保存されているものをすべて読み込みます。「修復」は先にコピーを作成し、変更内容を表示します。</translation>
    </message>
    <message>
        <source>Check</source>
        <translation>確認</translation>
    </message>
    <message>
        <source>Repair</source>
        <translation>修復</translation>
    </message>
    <message>
        <source>Something went wrong?</source>
        <translation>問題が発生しましたか？</translation>
    </message>
    <message>
        <source>Collects the log, the settings and failure reports, without your messages and keys.</source>
        <translation>メッセージとキーを除き、ログ、設定、失敗のレポートを集めます。</translation>
    </message>
    <message>
        <source>Backups are in {folder}</source>
        <translation>バックアップは{folder}にあります</translation>
    </message>
    <message>
        <source>Result</source>
        <translation>結果</translation>
    </message>
    <message>
        <source>… and {lines} more; &apos;chatdesk doctor --json&apos; lists them.</source>
        <translation>… ほか{lines}件。&apos;chatdesk doctor --json&apos;で一覧を表示できます。</translation>
    </message>
    <message>
        <source>{label}, its own choice</source>
        <translation>{label}の既定</translation>
    </message>
    <message>
        <source>General</source>
        <translation>一般</translation>
    </message>
    <message>
        <source>Providers</source>
        <translation>プロバイダー</translation>
    </message>
    <message>
        <source>Usage and limits</source>
        <translation>使用量と上限</translation>
    </message>
    <message>
        <source>Accessibility</source>
        <translation>アクセシビリティ</translation>
    </message>
    <message>
        <source>Team sync</source>
        <translation>チーム同期</translation>
    </message>
    <message>
        <source>Local service</source>
        <translation>ローカルサービス</translation>
    </message>
    <message>
        <source>Data and backup</source>
        <translation>データとバックアップ</translation>
    </message>
    <message>
        <source>Shortcuts</source>
        <translation>ショートカット</translation>
    </message>
    <message>
        <source>Enter the passphrase…</source>
        <translation>パスフレーズを入力…</translation>
    </message>
    <message>
        <source>Change the passphrase…</source>
        <translation>パスフレーズを変更…</translation>
    </message>
    <message>
        <source>Add provider</source>
        <translation>プロバイダーを追加</translation>
    </message>
    <message>
        <source>Look for servers on this computer</source>
        <translation>このコンピューターのサーバーを探す</translation>
    </message>
    <message>
        <source>Only this computer is asked, at the usual ports, and no key is sent.</source>
        <translation>このコンピューターの一般的なポートだけを調べ、キーは送りません。</translation>
    </message>
    <message>
        <source>Always available</source>
        <translation>いつでも使用可能</translation>
    </message>
    <message>
        <source>Needs no network, for trying things out</source>
        <translation>ネットワーク不要、お試し用</translation>
    </message>
    <message>
        <source>Your keys are in a locked file. Enter its passphrase to use them.</source>
        <translation>キーはロックされたファイルにあります。使うにはパスフレーズを入力してください。</translation>
    </message>
    <message>
        <source>Switched off</source>
        <translation>オフ</translation>
    </message>
    <message>
        <source>Test {label}</source>
        <translation>{label}をテスト</translation>
    </message>
    <message>
        <source>Edit {label}</source>
        <translation>{label}を編集</translation>
    </message>
    <message>
        <source>Search the memories</source>
        <translation>メモリーを検索</translation>
    </message>
    <message>
        <source>Memories to show</source>
        <translation>表示するメモリー</translation>
    </message>
    <message>
        <source>Add…</source>
        <translation>追加…</translation>
    </message>
    <message>
        <source>Edit…</source>
        <translation>編集…</translation>
    </message>
    <message>
        <source>Show its message</source>
        <translation>元のメッセージを表示</translation>
    </message>
    <message>
        <source>Delete what is chosen</source>
        <translation>選択したものを削除</translation>
    </message>
    <message>
        <source>Providers that get memories. None gets them unless you tick it.</source>
        <translation>メモリーを受け取るプロバイダー。チェックを入れないかぎり、どこにも送られません。</translation>
    </message>
    <message>
        <source>Providers that get memories</source>
        <translation>メモリーを受け取るプロバイダー</translation>
    </message>
    <message>
        <source>What you confirm is kept, and sent with your questions to the providers that you tick below.</source>
        <translation>確認したものが保存され、下でチェックを入れたプロバイダーに質問と一緒に送られます。</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent. What is here stays until you delete it.</source>
        <translation>メモリーはオフです。何も保存されず、何も送られません。ここにあるものは、削除するまで残ります。</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent until you turn it on. What is here can be deleted.</source>
        <translation>メモリーはオフです。オンにするまで、何も保存されず、何も送られません。ここにあるものは削除できます。</translation>
    </message>
    <message>
        <source>All memories</source>
        <translation>すべてのメモリー</translation>
    </message>
    <message>
        <source>{name} (at a new address: tick it again)</source>
        <translation>{name}(アドレスが変わりました。もう一度チェックを入れてください)</translation>
    </message>
    <message>
        <source>{name} — {address}</source>
        <translation>{name} — {address}</translation>
    </message>
    <message>
        <source>Undo the deletion</source>
        <translation>削除を元に戻す</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories</source>
        <comment>{count} memory</comment>
        <translation>
            <numerusform>{count}件のメモリー</numerusform>
        </translation>
    </message>
    <message>
        <source>No memory matches.</source>
        <translation>一致するメモリーはありません。</translation>
    </message>
    <message>
        <source>Nothing is remembered yet.</source>
        <translation>まだ何も記憶していません。</translation>
    </message>
    <message>
        <source>Export the memories</source>
        <translation>メモリーをエクスポート</translation>
    </message>
    <message>
        <source>JSON files (*.json)</source>
        <translation>JSONファイル (*.json)</translation>
    </message>
    <message>
        <source>Models…</source>
        <translation>モデル…</translation>
    </message>
    <message>
        <source>Enter a key</source>
        <translation>キーを入力</translation>
    </message>
    <message>
        <source>Switch off</source>
        <translation>オフにする</translation>
    </message>
    <message>
        <source>Switch on</source>
        <translation>オンにする</translation>
    </message>
    <message numerus="yes">
        <source>{count} models of {label}</source>
        <comment>{count} model of {label}</comment>
        <translation>
            <numerusform>{label}のモデル{count}個</numerusform>
        </translation>
    </message>
    <message>
        <source>Fetched {fetched}</source>
        <translation>取得日時{fetched}</translation>
    </message>
    <message>
        <source>Looking…</source>
        <translation>検索中…</translation>
    </message>
    <message>
        <source>Not tested</source>
        <translation>未テスト</translation>
    </message>
    <message>
        <source>Result of the test</source>
        <translation>テストの結果</translation>
    </message>
    <message>
        <source>Everything works.</source>
        <translation>すべて正常です。</translation>
    </message>
    <message>
        <source>Encryption</source>
        <translation>暗号化</translation>
    </message>
    <message>
        <source>Key</source>
        <translation>キー</translation>
    </message>
    <message>
        <source>Streaming</source>
        <translation>ストリーミング</translation>
    </message>
    <message>
        <source>The key is not used before you agree</source>
        <translation>同意するまでキーは使われません</translation>
    </message>
    <message>
        <source>Key from the variable {variable}</source>
        <translation>変数{variable}のキー</translation>
    </message>
    <message>
        <source>API key in the system keyring</source>
        <translation>システムのキーリングのAPIキー</translation>
    </message>
    <message>
        <source>API key in the encrypted file</source>
        <translation>暗号化ファイルのAPIキー</translation>
    </message>
    <message>
        <source>API key for this run only</source>
        <translation>この実行のみのAPIキー</translation>
    </message>
    <message>
        <source>No key yet</source>
        <translation>キー未設定</translation>
    </message>
    <message>
        <source>On this computer</source>
        <translation>このコンピューター</translation>
    </message>
    <message>
        <source>Any OpenAI-compatible address</source>
        <translation>OpenAI互換の任意のアドレス</translation>
    </message>
    <message>
        <source>No key needed</source>
        <translation>キー不要</translation>
    </message>
    <message>
        <source>{code}: the key was refused</source>
        <translation>{code}: キーが拒否されました</translation>
    </message>
    <message numerus="yes">
        <source>Works, {count} models</source>
        <comment>Works, {count} model</comment>
        <translation>
            <numerusform>正常、{count}個のモデル</numerusform>
        </translation>
    </message>
    <message>
        <source>ChatDesk first backs up what is there now. Then it closes, restores the backup you chose, and opens again.</source>
        <translation>ChatDeskはまず現在の内容をバックアップします。その後閉じて、選んだバックアップを復元し、再び開きます。</translation>
    </message>
    <message>
        <source>Restore a backup</source>
        <translation>バックアップを復元</translation>
    </message>
    <message>
        <source>Backups, the newest first</source>
        <translation>バックアップ(新しい順)</translation>
    </message>
    <message>
        <source>Other file…</source>
        <translation>別のファイル…</translation>
    </message>
    <message>
        <source>There is no backup yet.</source>
        <translation>まだバックアップがありません。</translation>
    </message>
    <message>
        <source>Looking into it…</source>
        <translation>内容を確認中…</translation>
    </message>
    <message>
        <source>Unpacking and checking the backup…</source>
        <translation>バックアップを展開して確認中…</translation>
    </message>
    <message>
        <source>Choose a backup</source>
        <translation>バックアップを選択</translation>
    </message>
    <message>
        <source>Backups (*.zip *.gz *.db);;All files (*)</source>
        <translation>バックアップ (*.zip *.gz *.db);;すべてのファイル (*)</translation>
    </message>
    <message>
        <source>before a restore</source>
        <translation>復元前</translation>
    </message>
    <message>
        <source>before a repair</source>
        <translation>修復前</translation>
    </message>
    <message>
        <source>before an upgrade</source>
        <translation>アップグレード前</translation>
    </message>
    <message>
        <source>daily</source>
        <translation>毎日</translation>
    </message>
    <message>
        <source>Newest message: {newest}</source>
        <translation>最新のメッセージ: {newest}</translation>
    </message>
    <message>
        <source>Newest threads:</source>
        <translation>最新のスレッド:</translation>
    </message>
    <message>
        <source>Settings</source>
        <translation>設定</translation>
    </message>
    <message>
        <source>Search</source>
        <translation>検索</translation>
    </message>
    <message>
        <source>Not saved: {why}.</source>
        <translation>保存されていません: {why}。</translation>
    </message>
    <message>
        <source>Pages of the settings</source>
        <translation>設定のページ</translation>
    </message>
    <message>
        <source>The environment variable {env} decides this.</source>
        <translation>環境変数{env}で決められています。</translation>
    </message>
    <message>
        <source>{hint} It is tried out until {day}, and may change.</source>
        <translation>{hint} {day}まで試用中で、変わることがあります。</translation>
    </message>
    <message>
        <source>Add a provider</source>
        <translation>プロバイダーを追加</translation>
    </message>
    <message>
        <source>API key server model connect</source>
        <translation>APIキー サーバー モデル 接続</translation>
    </message>
    <message>
        <source>keys</source>
        <translation>キー</translation>
    </message>
    <message>
        <source>global shortcut hotkey quick window</source>
        <translation>グローバル ショートカット ホットキー クイックウィンドウ</translation>
    </message>
    <message>
        <source>workspace join share invite</source>
        <translation>ワークスペース 参加 共有 招待</translation>
    </message>
    <message>
        <source>sync folder recovery phrase laptop</source>
        <translation>同期 フォルダー リカバリーフレーズ ノートパソコン</translation>
    </message>
    <message>
        <source>cost money tokens price spend</source>
        <translation>費用 料金 トークン 価格 支出</translation>
    </message>
    <message>
        <source>Found settings</source>
        <translation>見つかった設定</translation>
    </message>
    <message>
        <source>Nothing found</source>
        <translation>見つかりません</translation>
    </message>
    <message numerus="yes">
        <source>days</source>
        <comment>day</comment>
        <translation>
            <numerusform>日</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>weeks</source>
        <comment>week</comment>
        <translation>
            <numerusform>週</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>minutes</source>
        <comment>minute</comment>
        <translation>
            <numerusform>分</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>seconds</source>
        <comment>second</comment>
        <translation>
            <numerusform>秒</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>tokens</source>
        <comment>token</comment>
        <translation>
            <numerusform>トークン</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>files</source>
        <comment>file</comment>
        <translation>
            <numerusform>個</numerusform>
        </translation>
    </message>
    <message>
        <source>Drafts, pins, the archive, what you marked for the context, your keys and your prompts stay on this computer. So do the project&apos;s files: the team sees only the names of the folders and files that you added, or their text if you choose so in Files.</source>
        <translation>下書き、ピン留め、アーカイブ、コンテキストに付けた印、キー、プロンプトはこのコンピューターに残ります。プロジェクトのファイルも同様です。チームに見えるのは追加したフォルダーとファイルの名前だけで、「ファイル」で選んだ場合はテキストも渡されます。</translation>
    </message>
    <message>
        <source>Share “{name}”</source>
        <translation>「{name}」を共有</translation>
    </message>
    <message>
        <source>Counting…</source>
        <translation>集計中…</translation>
    </message>
    <message>
        <source>Workspace that the project is shared with</source>
        <translation>プロジェクトを共有するワークスペース</translation>
    </message>
    <message>
        <source>The project will be shared with “{name}”.</source>
        <translation>プロジェクトは「{name}」と共有されます。</translation>
    </message>
    <message>
        <source>Choose the workspace that the project is shared with.</source>
        <translation>プロジェクトを共有するワークスペースを選びます。</translation>
    </message>
    <message>
        <source>With the workspace</source>
        <translation>共有先のワークスペース</translation>
    </message>
    <message>
        <source>Share</source>
        <translation>共有</translation>
    </message>
    <message>
        <source>New threads go into “{name}” unless you choose another project. Once it is shared, others see them. To keep it to yourself, make a new project for what you share.</source>
        <translation>ほかのプロジェクトを選ばない限り、新しいスレッドは「{name}」に入ります。共有すると、ほかの人にも見えるようになります。自分だけのものにしておくには、共有用に新しいプロジェクトを作成してください。</translation>
    </message>
    <message>
        <source>Who will see it</source>
        <translation>見られる人</translation>
    </message>
    <message>
        <source>At first only you, on all your computers. Then those whom you give a role, here or by inviting them.</source>
        <translation>最初は自分だけ(自分のすべてのコンピューター)です。その後は、ここまたは招待で役割を与えた人です。</translation>
    </message>
    <message>
        <source>What never leaves</source>
        <translation>外に出ないもの</translation>
    </message>
    <message>
        <source>What cannot be taken back</source>
        <translation>取り消せないこと</translation>
    </message>
    <message>
        <source>Good to know</source>
        <translation>知っておくとよいこと</translation>
    </message>
    <message>
        <source>{who} Threads of a shared project cannot be moved out of it, only copied.</source>
        <translation>{who} 共有プロジェクトのスレッドは外に移動できず、コピーだけができます。</translation>
    </message>
    <message>
        <source>Sharing the project…</source>
        <translation>プロジェクトを共有中…</translation>
    </message>
    <message>
        <source>Sharing of “{name}”</source>
        <translation>「{name}」の共有</translation>
    </message>
    <message>
        <source>Shared with “{workspace}”. Your role is {role}: {hint}.</source>
        <translation>「{workspace}」と共有中。自分の役割は{role}です: {hint}。</translation>
    </message>
    <message>
        <source>Who sees it</source>
        <translation>見られる人</translation>
    </message>
    <message>
        <source>How long messages are kept</source>
        <translation>メッセージの保管期間</translation>
    </message>
    <message>
        <source>Stop sharing…</source>
        <translation>共有を停止…</translation>
    </message>
    <message>
        <source>Leave project…</source>
        <translation>プロジェクトを離れる…</translation>
    </message>
    <message>
        <source>Stop and erase…</source>
        <translation>停止して消去…</translation>
    </message>
    <message>
        <source>Invite…</source>
        <translation>招待…</translation>
    </message>
    <message>
        <source>Role of {name}</source>
        <translation>{name}の役割</translation>
    </message>
    <message>
        <source>Member</source>
        <translation>メンバー</translation>
    </message>
    <message>
        <source>A change takes effect at once. People who lose access keep the copy that is on their computer already.</source>
        <translation>変更はすぐに反映されます。アクセスできなくなった人にも、そのコンピューターにすでにあるコピーは残ります。</translation>
    </message>
    <message>
        <source>Setting how long messages are kept…</source>
        <translation>メッセージの保管期間を設定中…</translation>
    </message>
    <message>
        <source>Changing the role…</source>
        <translation>役割を変更中…</translation>
    </message>
    <message>
        <source>Older messages are being sent.</source>
        <translation>古いメッセージを送信中です。</translation>
    </message>
    <message>
        <source>Everything in it has reached the team.</source>
        <translation>すべてがチームに届いています。</translation>
    </message>
    <message>
        <source>Sharing ends for everybody at once.</source>
        <translation>共有は全員についてただちに終了します。</translation>
    </message>
    <message numerus="yes">
        <source>{count} other members can no longer see what is new.</source>
        <comment>{count} other member can no longer see what is new.</comment>
        <translation>
            <numerusform>ほかの{count}人のメンバーは新しい内容を見られなくなります。</numerusform>
        </translation>
    </message>
    <message>
        <source>Each computer that has it keeps its copy as a private project, this one too; nothing is deleted here.</source>
        <translation>これを含め、プロジェクトがある各コンピューターには、コピーが個人用プロジェクトとして残ります。ここでは何も削除されません。</translation>
    </message>
    <message>
        <source>Stop sharing “{name}”?</source>
        <translation>「{name}」の共有を停止しますか？</translation>
    </message>
    <message>
        <source>Stop sharing</source>
        <translation>共有を停止</translation>
    </message>
    <message>
        <source>You and the others no longer get each other&apos;s messages. The copy on this computer stays, as a private project. To come back, somebody who manages it has to give you a role again.</source>
        <translation>互いのメッセージが届かなくなります。このコンピューターのコピーは個人用プロジェクトとして残ります。戻るには、管理する人から再び役割を受ける必要があります。</translation>
    </message>
    <message>
        <source>Leave “{name}”?</source>
        <translation>「{name}」を離れますか？</translation>
    </message>
    <message>
        <source>Leave</source>
        <translation>離れる</translation>
    </message>
    <message>
        <source>Everything in it is removed: from the server at once, and from every computer when it syncs next, this one too.</source>
        <translation>中身はすべて削除されます。サーバーからは直ちに、これを含む各コンピューターからは次の同期時に消えます。</translation>
    </message>
    <message numerus="yes">
        <source>{count} other members lose it, too.</source>
        <comment>{count} other member loses it, too.</comment>
        <translation>
            <numerusform>ほかの{count}人のメンバーからも失われます。</numerusform>
        </translation>
    </message>
    <message>
        <source>What somebody wrote and did not send yet stays with them. This cannot be undone. Backups keep it until they are replaced, and so does anyone who copied or exported it, or left with a private copy.</source>
        <translation>誰かが書いてまだ送っていないものは、その人の手元に残ります。元に戻せません。バックアップには置き換えられるまで残り、コピーやエクスポートをした人、個人用コピーを持って離れた人にも残ります。</translation>
    </message>
    <message>
        <source>Stop sharing “{name}” and erase it for everyone?</source>
        <translation>「{name}」の共有を停止し、全員分を消去しますか？</translation>
    </message>
    <message>
        <source>Stop and erase</source>
        <translation>停止して消去</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes of yours did not reach the team yet and will stay only here.</source>
        <comment>{count} change of yours did not reach the team yet and will stay only here.</comment>
        <translation>
            <numerusform>自分の{count}件の変更はまだチームに届いておらず、ここにだけ残ります。</numerusform>
        </translation>
    </message>
    <message>
        <source>Copy text</source>
        <translation>テキストをコピー</translation>
    </message>
    <message>
        <source>Team sync: details</source>
        <translation>チーム同期: 詳細</translation>
    </message>
    <message>
        <source>Workspace</source>
        <translation>ワークスペース</translation>
    </message>
    <message>
        <source>Check against the server</source>
        <translation>サーバーと照合</translation>
    </message>
    <message>
        <source>When</source>
        <translation>日時</translation>
    </message>
    <message>
        <source>What</source>
        <translation>内容</translation>
    </message>
    <message>
        <source>Took</source>
        <translation>所要時間</translation>
    </message>
    <message>
        <source>Sync log</source>
        <translation>同期ログ</translation>
    </message>
    <message>
        <source>{count} ms</source>
        <translation>{count} ms</translation>
    </message>
    <message>
        <source>Go on without them…</source>
        <translation>それらなしで続ける…</translation>
    </message>
    <message numerus="yes">
        <source>Refused: {count} changes</source>
        <comment>Refused: {count} change</comment>
        <translation>
            <numerusform>拒否: {count}件の変更</numerusform>
        </translation>
    </message>
    <message>
        <source>Why</source>
        <translation>理由</translation>
    </message>
    <message>
        <source>Text</source>
        <translation>テキスト</translation>
    </message>
    <message>
        <source>Refused changes</source>
        <translation>拒否された変更</translation>
    </message>
    <message>
        <source>The team does not have these, or has something else in their place. They are kept on this computer only, until you forget them.</source>
        <translation>チームはこれらを持っていないか、代わりに別のものを持っています。破棄するまで、このコンピューターにのみ保存されます。</translation>
    </message>
    <message>
        <source>Forget…</source>
        <translation>破棄…</translation>
    </message>
    <message>
        <source>For the selected changes</source>
        <translation>選択した変更について</translation>
    </message>
    <message>
        <source>Asking the server…</source>
        <translation>サーバーに問い合わせています…</translation>
    </message>
    <message>
        <source>… and {count} more.</source>
        <translation>… ほか{count}件。</translation>
    </message>
    <message numerus="yes">
        <source>{count} projects</source>
        <comment>{count} project</comment>
        <translation>
            <numerusform>{count}件のプロジェクト</numerusform>
        </translation>
    </message>
    <message>
        <source>Encrypted, the server proves who it is</source>
        <translation>暗号化あり、サーバーの身元を確認</translation>
    </message>
    <message>
        <source>Not encrypted, for a server on this computer or in a network of your own</source>
        <translation>暗号化なし(このコンピューターか自分のネットワーク内のサーバー用)</translation>
    </message>
    <message>
        <source>Connection string</source>
        <translation>接続文字列</translation>
    </message>
    <message>
        <source>Pasted text fills in the fields below.</source>
        <translation>貼り付けたテキストで下の欄が入力されます。</translation>
    </message>
    <message>
        <source>Host</source>
        <translation>ホスト</translation>
    </message>
    <message>
        <source>User</source>
        <translation>ユーザー</translation>
    </message>
    <message>
        <source>An empty database</source>
        <translation>空のデータベース</translation>
    </message>
    <message>
        <source>An account that may create roles</source>
        <translation>ロールを作成できるアカウント</translation>
    </message>
    <message>
        <source>Password</source>
        <translation>パスワード</translation>
    </message>
    <message>
        <source>Certificate file…</source>
        <translation>証明書ファイル…</translation>
    </message>
    <message>
        <source>Certificate of the authority that vouches for the server</source>
        <translation>サーバーを保証する認証局の証明書</translation>
    </message>
    <message>
        <source>Certificates that this computer trusts</source>
        <translation>このコンピューターが信頼する証明書</translation>
    </message>
    <message>
        <source>Paste the connection string of an owner&apos;s account, or fill in the fields.</source>
        <translation>所有者アカウントの接続文字列を貼り付けるか、欄に入力してください。</translation>
    </message>
    <message>
        <source>Trusted certificates</source>
        <translation>信頼する証明書</translation>
    </message>
    <message>
        <source>The certificate named in the connection string</source>
        <translation>接続文字列で指定された証明書</translation>
    </message>
    <message>
        <source>The certificate used so far</source>
        <translation>これまで使っていた証明書</translation>
    </message>
    <message>
        <source>Certificate of the authority</source>
        <translation>認証局の証明書</translation>
    </message>
    <message>
        <source>{name} is not a certificate in PEM form. Nothing was changed.</source>
        <translation>{name}はPEM形式の証明書ではありません。何も変更されていません。</translation>
    </message>
    <message>
        <source>Only what {name} vouches for</source>
        <translation>{name}が保証するもののみ</translation>
    </message>
    <message>
        <source>fine</source>
        <translation>正常</translation>
    </message>
    <message>
        <source>a warning</source>
        <translation>警告</translation>
    </message>
    <message>
        <source>Create a workspace</source>
        <translation>ワークスペースを作成</translation>
    </message>
    <message>
        <source>Name of the workspace</source>
        <translation>ワークスペースの名前</translation>
    </message>
    <message>
        <source>Your name, as the others see it</source>
        <translation>ほかの人に表示される自分の名前</translation>
    </message>
    <message>
        <source>For example: the name of your team</source>
        <translation>例: チームの名前</translation>
    </message>
    <message>
        <source>For example: Ana Lima</source>
        <translation>例: 山田花子</translation>
    </message>
    <message>
        <source>Next</source>
        <translation>次へ</translation>
    </message>
    <message>
        <source>Set up</source>
        <translation>セットアップ</translation>
    </message>
    <message>
        <source>Invite people…</source>
        <translation>メンバーを招待…</translation>
    </message>
    <message>
        <source>“{name}” is ready, and you are its owner. Nothing is shared yet: open a project and choose Share…, and invite the people you work with.</source>
        <translation>「{name}」の準備ができました。あなたが所有者です。まだ何も共有されていません。プロジェクトを開いて「共有…」を選び、一緒に作業する人を招待してください。</translation>
    </message>
    <message>
        <source>A workspace is a PostgreSQL database, 15 or newer, that your team&apos;s computers share changes through. Give an empty one, and an account that may create roles; its password is used now and not kept.</source>
        <translation>ワークスペースは、チームのコンピューターが変更を共有するためのPostgreSQLデータベース(15以降)です。空のデータベースと、ロールを作成できるアカウントを指定してください。パスワードは今だけ使われ、保管されません。</translation>
    </message>
    <message>
        <source>Was the workspace set up by hand? Then sign in with your login.</source>
        <translation>ワークスペースが手作業で設定されている場合は、自分のログインでサインインしてください。</translation>
    </message>
    <message>
        <source>Sign in</source>
        <translation>サインイン</translation>
    </message>
    <message>
        <source>Your name</source>
        <translation>自分の名前</translation>
    </message>
    <message>
        <source>If setting up is interrupted, set up the same database again: it continues.</source>
        <translation>設定が中断された場合は、同じデータベースをもう一度設定すると続行されます。</translation>
    </message>
    <message>
        <source>Looking at the database…</source>
        <translation>データベースを確認中…</translation>
    </message>
    <message>
        <source>Signing in…</source>
        <translation>サインイン中…</translation>
    </message>
    <message>
        <source>Setting up the workspace…</source>
        <translation>ワークスペースを設定中…</translation>
    </message>
    <message>
        <source>What was found</source>
        <translation>確認結果</translation>
    </message>
    <message numerus="yes">
        <source>{count} problems must be fixed first.</source>
        <comment>{count} problem must be fixed first.</comment>
        <translation>
            <numerusform>先に{count}件の問題を解決する必要があります。</numerusform>
        </translation>
    </message>
    <message>
        <source>A workspace can be set up here.</source>
        <translation>ここにワークスペースを設定できます。</translation>
    </message>
    <message>
        <source>A computer</source>
        <translation>コンピューター</translation>
    </message>
    <message>
        <source>Take off the list…</source>
        <translation>一覧から外す…</translation>
    </message>
    <message>
        <source>Code</source>
        <comment>invitation</comment>
        <translation>招待コード</translation>
    </message>
    <message>
        <source>Copy the code</source>
        <translation>コードをコピー</translation>
    </message>
    <message>
        <source>Save as file…</source>
        <translation>ファイルとして保存…</translation>
    </message>
    <message>
        <source>The code is in the clipboard.</source>
        <translation>コードをクリップボードにコピーしました。</translation>
    </message>
    <message>
        <source>The link is in the clipboard.</source>
        <translation>リンクをクリップボードにコピーしました。</translation>
    </message>
    <message>
        <source>Save the invitation</source>
        <translation>招待を保存</translation>
    </message>
    <message>
        <source>Invitations (*{ending})</source>
        <translation>招待 (*{ending})</translation>
    </message>
    <message>
        <source>Saved as {name}. Anyone who has the file can use it, so send it only to them.</source>
        <translation>{name}として保存しました。ファイルを持つ人は誰でも使えるため、本人だけに送ってください。</translation>
    </message>
    <message>
        <source>Invite to “{workspace}”</source>
        <translation>「{workspace}」に招待</translation>
    </message>
    <message>
        <source>{workspace} invitation</source>
        <translation>{workspace} 招待</translation>
    </message>
    <message>
        <source>Who is invited</source>
        <translation>招待する人</translation>
    </message>
    <message>
        <source>Can be used for</source>
        <translation>使用できる期間</translation>
    </message>
    <message>
        <source>No project is shared yet, or you manage none. They can be given roles later, under Members.</source>
        <translation>まだ共有プロジェクトがないか、管理するものがありません。役割は後から「メンバー」で与えられます。</translation>
    </message>
    <message>
        <source>Make an invitation</source>
        <translation>招待を作成</translation>
    </message>
    <message>
        <source>Role in {name}</source>
        <translation>{name}での役割</translation>
    </message>
    <message>
        <source>Their name; they can change it</source>
        <translation>相手の名前。本人が変更できます</translation>
    </message>
    <message>
        <source>Days for which the invitation can be used</source>
        <translation>招待を使用できる日数</translation>
    </message>
    <message>
        <source> days</source>
        <translation> 日</translation>
    </message>
    <message>
        <source>Send this to {name} and nobody else: the first person who uses it takes that place. It works once, until {day}. They choose Join a workspace in Settings, Team sync.</source>
        <translation>{name}だけに送ってください。最初に使った人がその席に入ります。{day}まで、1回限り有効です。相手は「設定」の「チーム同期」で「ワークスペースに参加」を選びます。</translation>
    </message>
    <message>
        <source>Making the invitation…</source>
        <translation>招待を作成中…</translation>
    </message>
    <message>
        <source>Add a computer of mine</source>
        <translation>自分のコンピューターを追加</translation>
    </message>
    <message>
        <source>{workspace} my computer</source>
        <translation>{workspace} 自分のコンピューター</translation>
    </message>
    <message>
        <source>Type this passphrase on the other computer</source>
        <translation>もう一方のコンピューターで入力するパスフレーズ</translation>
    </message>
    <message>
        <source>Take the code or file to your other computer, choose Join a workspace there, and type the passphrase. It can be used until {day}. The code alone opens nothing; do not send both the same way.</source>
        <translation>コードかファイルをもう一方のコンピューターに移し、「ワークスペースに参加」を選んで、パスフレーズを入力してください。{day}まで使えます。コードだけでは何も開けません。両方を同じ方法で送らないでください。</translation>
    </message>
    <message>
        <source>Invitations (*{ending});;All files (*)</source>
        <translation>招待 (*{ending});;すべてのファイル (*)</translation>
    </message>
    <message>
        <source>Join a workspace</source>
        <translation>ワークスペースに参加</translation>
    </message>
    <message>
        <source>Invitation</source>
        <translation>招待</translation>
    </message>
    <message>
        <source>Open file…</source>
        <translation>ファイルを開く…</translation>
    </message>
    <message>
        <source>Join anyway: nothing is encrypted on the way</source>
        <translation>それでも参加: 通信は暗号化されません</translation>
    </message>
    <message>
        <source>Paste the code or link that you were given, or open its file.</source>
        <translation>受け取ったコードかリンクを貼り付けるか、ファイルを開いてください。</translation>
    </message>
    <message>
        <source>Passphrase that was shown beside the code</source>
        <translation>コードの横に表示されていたパスフレーズ</translation>
    </message>
    <message>
        <source>Join</source>
        <translation>参加</translation>
    </message>
    <message>
        <source>{name} cannot be read. Nothing was sent. Ask for the code as text.</source>
        <translation>{name}を読み込めません。何も送られていません。コードをテキストで送ってもらってください。</translation>
    </message>
    <message>
        <source>Open an invitation</source>
        <translation>招待を開く</translation>
    </message>
    <message>
        <source>Joining the workspace…</source>
        <translation>ワークスペースに参加中…</translation>
    </message>
    <message>
        <source>Adds this computer to “{workspace}”. You are the same member as on the computer that made the code.</source>
        <translation>このコンピューターを「{workspace}」に追加します。コードを作成したコンピューターと同じメンバーになります。</translation>
    </message>
    <message>
        <source>You are invited by {name} to “{workspace}”.</source>
        <translation>{name}から「{workspace}」に招待されています。</translation>
    </message>
    <message>
        <source>You are invited to “{workspace}”.</source>
        <translation>「{workspace}」に招待されています。</translation>
    </message>
    <message>
        <source>The database is {address}.</source>
        <translation>データベースは{address}です。</translation>
    </message>
    <message>
        <source>Projects: {projects}.</source>
        <translation>プロジェクト: {projects}。</translation>
    </message>
    <message>
        <source>It expired on {day}. Ask for a new one.</source>
        <translation>{day}に期限が切れました。新しいものを依頼してください。</translation>
    </message>
    <message>
        <source>It can be used until {day}.</source>
        <translation>{day}まで使えます。</translation>
    </message>
    <message>
        <source>It can be used once, until {day}.</source>
        <translation>{day}まで、1回使えます。</translation>
    </message>
    <message>
        <source>The way to this server is not encrypted: anyone on the way can read and change everything. That is fine for a server on this computer or a network that only you use.</source>
        <translation>このサーバーへの通信は暗号化されていません。途中の誰でもすべてを読んだり変更したりできます。このコンピューターのサーバーや、自分だけが使うネットワークなら問題ありません。</translation>
    </message>
    <message>
        <source>This computer has no keyring that could keep the password. Keep it in ChatDesk&apos;s encrypted file of keys instead; you enter its passphrase once after each start.</source>
        <translation>このコンピューターにはパスワードを保管できるキーリングがありません。代わりにChatDeskの暗号化キーファイルに保管してください。パスフレーズは起動のたびに一度入力します。</translation>
    </message>
    <message>
        <source>Keep it in the file</source>
        <translation>ファイルに保管</translation>
    </message>
    <message>
        <source>The passphrase of the file of keys</source>
        <translation>キーファイルのパスフレーズ</translation>
    </message>
    <message>
        <source>Leave “{workspace}”?</source>
        <translation>「{workspace}」を離れますか？</translation>
    </message>
    <message>
        <source>Its projects stay on this computer, as private copies. Nothing is deleted here or there.</source>
        <translation>プロジェクトは個人用コピーとしてこのコンピューターに残ります。こちらでもサーバーでも何も削除されません。</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes did not reach the team yet and will stay only here.</source>
        <comment>{count} change did not reach the team yet and will stay only here.</comment>
        <translation>
            <numerusform>{count}件の変更はまだチームに届いておらず、ここにだけ残ります。</numerusform>
        </translation>
    </message>
    <message>
        <source>Only on this computer</source>
        <translation>このコンピューターでのみ</translation>
    </message>
    <message>
        <source>For good: end my membership</source>
        <translation>完全に: メンバーをやめる</translation>
    </message>
    <message>
        <source>You stay a member; a code from another computer of yours brings this one back.</source>
        <translation>メンバーのままです。自分の別のコンピューターのコードで、このコンピューターを戻せます。</translation>
    </message>
    <message>
        <source>Leaving the workspace…</source>
        <translation>ワークスペースを離れています…</translation>
    </message>
    <message>
        <source>Use</source>
        <translation>使う</translation>
    </message>
    <message>
        <source>Password for “{workspace}”</source>
        <translation>「{workspace}」のパスワード</translation>
    </message>
    <message>
        <source>ChatDesk made this password when you joined and keeps it with your keys. If it is lost, ask for a new invitation, or take a code from another computer of yours.</source>
        <translation>このパスワードは参加時にChatDeskが作成し、キーと一緒に保管しています。失われた場合は、新しい招待を依頼するか、自分の別のコンピューターのコードを使ってください。</translation>
    </message>
    <message>
        <source>Trying the password…</source>
        <translation>パスワードを確認中…</translation>
    </message>
    <message>
        <source>Rename the workspace</source>
        <translation>ワークスペース名を変更</translation>
    </message>
    <message>
        <source>All members see the new name.</source>
        <translation>新しい名前は全メンバーに表示されます。</translation>
    </message>
    <message>
        <source>Renaming the workspace…</source>
        <translation>ワークスペース名を変更中…</translation>
    </message>
    <message>
        <source>On all of your computers. What you wrote stays with the team; to come back you need an invitation.</source>
        <translation>自分のすべてのコンピューターが対象です。書いたものはチームに残ります。戻るには招待が必要です。</translation>
    </message>
    <message>
        <source>Make somebody else an owner first.</source>
        <translation>先にほかの人を所有者にしてください。</translation>
    </message>
    <message>
        <source>Owners invite people, remove members and make others owners.</source>
        <translation>所有者は、人を招待し、メンバーを外し、ほかの人を所有者にできます。</translation>
    </message>
    <message>
        <source>End their connections: for somebody whose unfinished change holds up the others</source>
        <translation>接続を終了: 未完了の変更でほかの人を妨げている人のため</translation>
    </message>
    <message>
        <source>Roles</source>
        <translation>役割</translation>
    </message>
    <message>
        <source>My name…</source>
        <translation>自分の名前…</translation>
    </message>
    <message>
        <source>Manage…</source>
        <translation>管理…</translation>
    </message>
    <message>
        <source>New password…</source>
        <translation>新しいパスワード…</translation>
    </message>
    <message>
        <source>End their connections</source>
        <translation>接続を終了</translation>
    </message>
    <message>
        <source>Remove from the workspace…</source>
        <translation>ワークスペースから外す…</translation>
    </message>
    <message>
        <source>Change name</source>
        <translation>名前を変更</translation>
    </message>
    <message>
        <source>Owner of the workspace</source>
        <translation>ワークスペースの所有者</translation>
    </message>
    <message>
        <source>Telling the server…</source>
        <translation>サーバーに通知中…</translation>
    </message>
    <message>
        <source>Changing your name…</source>
        <translation>名前を変更中…</translation>
    </message>
    <message>
        <source>{people} and {more} more</source>
        <translation>{people}ほか{more}人</translation>
    </message>
    <message>
        <source>{name} invited {people}. They are still members, with the roles they have. Remove them as well if they came for {name} only; what they wrote stays either way.</source>
        <translation>{name}が{people}を招待しました。現在の役割のまま、まだメンバーです。{name}のためだけに入った人なら一緒に外してください。いずれの場合も書いたものは残ります。</translation>
    </message>
    <message>
        <source>{name} can no longer log in, from any computer, from this moment on. What they wrote stays with the team; what is on their computer already stays there. To have them back, invite them again.</source>
        <translation>{name}はこの時点から、どのコンピューターからもログインできなくなります。書いたものはチームに、コンピューターにすでにあるものはそのまま残ります。戻すには、改めて招待してください。</translation>
    </message>
    <message>
        <source>This computer gets a new password that nobody sees. Your other computers can no longer log in with the old one: add them again with Add a computer of mine. Nothing is deleted.</source>
        <translation>このコンピューターは、誰にも見えない新しいパスワードになります。自分のほかのコンピューターは古いパスワードでログインできなくなるため、「自分のコンピューターを追加」で追加し直してください。何も削除されません。</translation>
    </message>
    <message>
        <source>This profile was restored or repaired, or a copy of it is in use. ChatDesk does not connect to {address} until you say so; what waits here is sent then.</source>
        <translation>このプロファイルは復元または修復されたか、そのコピーが使われています。指示があるまでChatDeskは{address}に接続しません。ここで待機しているものはそのとき送信されます。</translation>
    </message>
    <message>
        <source>Connect again</source>
        <translation>再接続</translation>
    </message>
    <message>
        <source>Give it up</source>
        <translation>放棄</translation>
    </message>
    <message>
        <source>Give {name} up; its projects stay here as private copies</source>
        <translation>{name}を放棄します。プロジェクトは個人用コピーとしてここに残ります</translation>
    </message>
    <message>
        <source>Create another workspace…</source>
        <translation>別のワークスペースを作成…</translation>
    </message>
    <message>
        <source>Join another workspace…</source>
        <translation>別のワークスペースに参加…</translation>
    </message>
    <message>
        <source>Work in the same projects with others, or on several computers of yours. Every computer keeps everything and works offline; a PostgreSQL database of yours carries the changes, and no server of ours is involved.</source>
        <translation>ほかの人と、または自分の複数のコンピューターで、同じプロジェクトの作業ができます。どのコンピューターもすべてを保持し、オフラインでも動作します。変更は自前のPostgreSQLデータベースを通じて届き、当方のサーバーは一切介在しません。</translation>
    </message>
    <message>
        <source>For a team that has none: sets up an empty database that you give, and makes you its owner.</source>
        <translation>まだ持っていないチーム用: 指定した空のデータベースを設定し、あなたを所有者にします。</translation>
    </message>
    <message>
        <source>Create a workspace…</source>
        <translation>ワークスペースを作成…</translation>
    </message>
    <message>
        <source>With an invitation: a code, a link or a file that somebody of the team, or another computer of yours, made. Nothing is sent before you have seen what it is.</source>
        <translation>招待がある場合: チームの誰か、または自分の別のコンピューターが作成したコード、リンク、ファイルです。内容を確認するまで何も送られません。</translation>
    </message>
    <message>
        <source>Enter the password…</source>
        <translation>パスワードを入力…</translation>
    </message>
    <message>
        <source>Details of syncing with {name}</source>
        <translation>{name}との同期の詳細</translation>
    </message>
    <message>
        <source>{address}, joined {day}</source>
        <translation>{address}、参加日{day}</translation>
    </message>
    <message>
        <source>Shared projects</source>
        <translation>共有プロジェクト</translation>
    </message>
    <message>
        <source>Role and state</source>
        <translation>役割と状態</translation>
    </message>
    <message>
        <source>Sharing…</source>
        <translation>共有…</translation>
    </message>
    <message>
        <source>None yet. Open a project and choose Share… in its menu; only what you share leaves this computer.</source>
        <translation>まだありません。プロジェクトを開き、メニューの「共有…」を選んでください。共有したものだけがこのコンピューターの外に出ます。</translation>
    </message>
    <message>
        <source>Members</source>
        <translation>メンバー</translation>
    </message>
    <message>
        <source>Devices</source>
        <translation>デバイス</translation>
    </message>
    <message>
        <source>Computer</source>
        <translation>コンピューター</translation>
    </message>
    <message>
        <source>About</source>
        <translation>詳細</translation>
    </message>
    <message>
        <source>somebody</source>
        <translation>誰か</translation>
    </message>
    <message>
        <source>Add a computer of mine…</source>
        <translation>自分のコンピューターを追加…</translation>
    </message>
    <message>
        <source>Address…</source>
        <translation>アドレス…</translation>
    </message>
    <message>
        <source>Address of the server of {name}</source>
        <translation>{name}のサーバーのアドレス</translation>
    </message>
    <message>
        <source>Leave…</source>
        <translation>離れる…</translation>
    </message>
    <message>
        <source>Invite somebody to {name}</source>
        <translation>{name}に誰かを招待</translation>
    </message>
    <message>
        <source>Rename…</source>
        <translation>名前を変更…</translation>
    </message>
    <message>
        <source>That computer can no longer sync under this name; what is on it stays there. If it was lost, also make a new password under My name, and add your other computers again.</source>
        <translation>そのコンピューターは、この名前では同期できなくなります。そこにあるものはそのまま残ります。紛失した場合は、「自分の名前」で新しいパスワードも作成し、他のコンピューターを再度追加してください。</translation>
    </message>
    <message>
        <source>A project that is not here yet</source>
        <translation>まだここにないプロジェクト</translation>
    </message>
    <message>
        <source>Share…</source>
        <translation>共有…</translation>
    </message>
    <message>
        <source>Keep messages</source>
        <translation>メッセージの保管</translation>
    </message>
    <message>
        <source>Older messages are erased for everybody, about once a day; that cannot be undone.</source>
        <translation>古いメッセージは1日に1回程度、全員分が消去されます。元に戻せません。</translation>
    </message>
    <message>
        <source>Days for which messages are kept</source>
        <translation>メッセージを保管する日数</translation>
    </message>
    <message>
        <source>Set</source>
        <translation>設定</translation>
    </message>
    <message>
        <source>Set how long messages are kept</source>
        <translation>メッセージの保管期間を設定</translation>
    </message>
    <message>
        <source>Other…</source>
        <translation>その他…</translation>
    </message>
    <message>
        <source>For ever</source>
        <translation>無期限</translation>
    </message>
    <message numerus="yes">
        <source>For {count} days</source>
        <comment>For {count} day</comment>
        <translation>
            <numerusform>{count}日間</numerusform>
        </translation>
    </message>
    <message>
        <source>Messages are kept for ever.</source>
        <translation>メッセージは無期限に保管されます。</translation>
    </message>
    <message numerus="yes">
        <source>Messages are kept for {count} days.</source>
        <comment>Messages are kept for {count} day.</comment>
        <translation>
            <numerusform>メッセージは{count}日間保管されます。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Messages that are older than {count} days are erased for everybody, now and from now on: from the server, and from each computer when it syncs next. This cannot be undone. Backups, private copies and what somebody copied elsewhere keep them.</source>
        <comment>Messages that are older than {count} day are erased for everybody, now and from now on: from the server, and from each computer when it syncs next. This cannot be undone. Backups, private copies and what somebody copied elsewhere keep them.</comment>
        <translation>
            <numerusform>{count}日より古いメッセージは、今後ずっと全員分が消去されます。サーバーからは直ちに、各コンピューターからは次の同期時に消えます。元に戻せません。バックアップ、個人用コピー、誰かがほかの場所にコピーしたものには残ります。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Keep messages of “{name}” for {count} days only?</source>
        <comment>Keep messages of “{name}” for {count} day only?</comment>
        <translation>
            <numerusform>「{name}」のメッセージを{count}日間だけ保管しますか？</numerusform>
        </translation>
    </message>
    <message>
        <source>Erase what is older</source>
        <translation>古いものを消去</translation>
    </message>
    <message>
        <source>No access</source>
        <translation>アクセスなし</translation>
    </message>
    <message>
        <source>{role}: {rights}.</source>
        <translation>{role}: {rights}。</translation>
    </message>
    <message>
        <source>Role</source>
        <translation>役割</translation>
    </message>
    <message>
        <source>{what} and role</source>
        <translation>{what}と役割</translation>
    </message>
    <message>
        <source>Where “{workspace}” is reached</source>
        <translation>「{workspace}」の接続先</translation>
    </message>
    <message>
        <source>For a server that moved, or has another name now. ChatDesk first checks that this workspace is there. Your login stays; your other computers and the other members move for themselves.</source>
        <translation>移動した、または名前が変わったサーバー用です。ChatDeskはまず、このワークスペースがそこにあることを確認します。ログインはそのままです。自分のほかのコンピューターとほかのメンバーは、それぞれで変更します。</translation>
    </message>
    <message>
        <source>Use this address</source>
        <translation>このアドレスを使う</translation>
    </message>
    <message>
        <source>Looking for the workspace…</source>
        <translation>ワークスペースを探しています…</translation>
    </message>
    <message>
        <source>Viewer</source>
        <translation>閲覧者</translation>
    </message>
    <message>
        <source>Editor</source>
        <translation>編集者</translation>
    </message>
    <message>
        <source>Admin</source>
        <translation>管理者</translation>
    </message>
    <message>
        <source>Owner</source>
        <translation>所有者</translation>
    </message>
    <message>
        <source>reads</source>
        <translation>閲覧</translation>
    </message>
    <message>
        <source>reads and writes, changes and deletes their own</source>
        <translation>閲覧と書き込み、自分のものの変更と削除</translation>
    </message>
    <message>
        <source>changes and deletes everything, and manages members</source>
        <translation>すべての変更と削除、メンバーの管理</translation>
    </message>
    <message>
        <source>does everything, and may end the sharing for everybody</source>
        <translation>すべての操作、全員の共有の終了</translation>
    </message>
    <message>
        <source>Only projects that you share leave this computer: their threads, messages, attachments and summaries. Keys, drafts, pins, the prompt library and everything else stay here.</source>
        <translation>このコンピューターの外に出るのは、共有したプロジェクトのスレッド、メッセージ、添付ファイル、要約だけです。キー、下書き、ピン留め、プロンプトライブラリなどはここに残ります。</translation>
    </message>
    <message>
        <source>What others have read, copied or exported, and private copies of those who leave. Threads and messages can be erased for everyone later, on the server and on each computer when it syncs; backups keep them until they are replaced. Stopping to share removes nothing from the server unless you choose to erase the project.</source>
        <translation>ほかの人が閲覧、コピー、エクスポートしたもの、離れた人の個人用コピーです。スレッドとメッセージは後から、サーバーと(同期時に)各コンピューターで全員分を消去できます。バックアップには置き換えられるまで残ります。共有を停止しても、プロジェクトの消去を選ばない限り、サーバーからは何も削除されません。</translation>
    </message>
    <message>
        <source>This version of ChatDesk brings a newer form of the team&apos;s database. Everyone can go on working with the present one until you upgrade it: &apos;chatdesk team upgrade&apos;.</source>
        <translation>このバージョンのChatDeskには、チームのデータベースの新しい形式が含まれています。アップグレードするまで、全員が現在のもので作業を続けられます: 「chatdesk team upgrade」。</translation>
    </message>
    <message>
        <source>Anyone who administers the database can read all that is shared, whatever roles people have.</source>
        <translation>データベースの管理者は、役割に関係なく共有されたものをすべて読めます。</translation>
    </message>
    <message>
        <source>Shared with you again; choose Share… to send this copy</source>
        <translation>再び共有されています。このコピーを送るには「共有…」を選びます</translation>
    </message>
    <message>
        <source>being sent</source>
        <translation>送信中</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes refused</source>
        <comment>{count} change refused</comment>
        <translation>
            <numerusform>{count}件の変更が拒否されました</numerusform>
        </translation>
    </message>
    <message>
        <source>not in sync: what the server has does not fit</source>
        <translation>同期していません: サーバーの内容が合いません</translation>
    </message>
    <message numerus="yes">
        <source>{count} attachments ({size})</source>
        <comment>{count} attachment ({size})</comment>
        <translation>
            <numerusform>{count}個の添付ファイル({size})</numerusform>
        </translation>
    </message>
    <message>
        <source>{parts} are sent now; what is written later is sent by itself.</source>
        <translation>今回送信されるもの: {parts}。後から書いたものは自動で送信されます。</translation>
    </message>
    <message>
        <source>Removed; what they wrote stays</source>
        <translation>外されました。書いたものは残ります</translation>
    </message>
    <message>
        <source>you</source>
        <comment>beside a name</comment>
        <translation>あなた</translation>
    </message>
    <message numerus="yes">
        <source>{count} connections of {name} were ended. The server dropped what was unfinished; their computer sends it again.</source>
        <comment>{count} connection of {name} was ended. The server dropped what was unfinished; their computer sends it again.</comment>
        <translation>
            <numerusform>{name}の接続を{count}件終了しました。未完了の処理はサーバーで破棄され、相手のコンピューターから再送されます。</numerusform>
        </translation>
    </message>
    <message>
        <source>you</source>
        <translation>あなた</translation>
    </message>
    <message>
        <source>owner of the workspace</source>
        <translation>ワークスペースの所有者</translation>
    </message>
    <message>
        <source>invited, has not joined yet</source>
        <translation>招待済み、未参加</translation>
    </message>
    <message>
        <source>invited on {day}, has not joined yet</source>
        <translation>{day}に招待、未参加</translation>
    </message>
    <message>
        <source>in no project of yours</source>
        <translation>自分のプロジェクトには不参加</translation>
    </message>
    <message>
        <source>this computer</source>
        <translation>このコンピューター</translation>
    </message>
    <message>
        <source>never connected</source>
        <translation>一度も接続していません</translation>
    </message>
    <message>
        <source>connected now</source>
        <translation>接続中</translation>
    </message>
    <message>
        <source>last connected {moment}</source>
        <translation>最後の接続: {moment}</translation>
    </message>
    <message>
        <source>Nothing was new.</source>
        <translation>新しいものはありませんでした。</translation>
    </message>
    <message>
        <source>{sent} sent, {received} received.</source>
        <translation>送信{sent}、受信{received}。</translation>
    </message>
    <message>
        <source>{database} on {host}</source>
        <translation>{host}の{database}</translation>
    </message>
    <message numerus="yes">
        <source>{count} people {name} invited were removed.</source>
        <comment>{count} person {name} invited was removed.</comment>
        <translation>
            <numerusform>{name}が招待した{count}人を外しました。</numerusform>
        </translation>
    </message>
    <message>
        <source>Everything in it stays on this computer as a private copy.</source>
        <translation>中身はすべて個人用コピーとしてこのコンピューターに残ります。</translation>
    </message>
    <message>
        <source>What you had not sent is in your own project.</source>
        <translation>まだ送っていなかったものは個人用プロジェクトにあります。</translation>
    </message>
    <message>
        <source>shared, you can only read</source>
        <translation>共有中、閲覧のみ</translation>
    </message>
    <message>
        <source>shared</source>
        <translation>共有中</translation>
    </message>
    <message>
        <source>shared, you manage it</source>
        <translation>共有中、自分が管理</translation>
    </message>
    <message>
        <source>shared by you</source>
        <translation>自分が共有</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes in this thread were not taken by the team&apos;s server, so only you see them. Press the line below the threads to read why, to copy them out or to try again.</source>
        <comment>{count} change in this thread was not taken by the team&apos;s server, so only you see it. Press the line below the threads to read why, to copy it out or to try again.</comment>
        <translation>
            <numerusform>このスレッドの{count}件の変更はチームのサーバーに受け付けられなかったため、自分にしか見えません。スレッドの下の行を押すと、理由の確認、コピー、再試行ができます。</numerusform>
        </translation>
    </message>
    <message>
        <source>“{name}” is open to you again. Nothing of it was sent, because you wrote in your own copy meanwhile: choose Share… in its menu, and that goes up too.</source>
        <translation>「{name}」が再び開かれました。その間に自分のコピーに書き込んだため、まだ何も送られていません。メニューの「共有…」を選ぶと、その内容もアップロードされます。</translation>
    </message>
    <message>
        <source>You are no longer a member of “{workspace}”. Its projects stay on this computer with everything in them, and what you write there now waits here. To come back, ask its owner for a new invitation.</source>
        <translation>「{workspace}」のメンバーではなくなりました。プロジェクトは中身もすべてこのコンピューターに残り、今後そこに書いたものはここで待機します。戻るには、所有者に新しい招待を依頼してください。</translation>
    </message>
    <message>
        <source>“{workspace}”: {problem} {next_step} Nothing that you write is lost meanwhile.</source>
        <translation>「{workspace}」: {problem} {next_step} その間に書いたものは失われません。</translation>
    </message>
    <message>
        <source>You can read this project; ask {name} to let you write.</source>
        <translation>このプロジェクトは閲覧できます。書き込むには{name}に依頼してください。</translation>
    </message>
    <message>
        <source>You can read this project; ask its owner to let you write.</source>
        <translation>このプロジェクトは閲覧できます。書き込むには所有者に依頼してください。</translation>
    </message>
    <message>
        <source>Another member</source>
        <translation>ほかのメンバー</translation>
    </message>
    <message numerus="yes">
        <source>{first}, {second} and {count} others</source>
        <comment>{first}, {second} and {count} other</comment>
        <translation>
            <numerusform>{first}、{second}、ほか{count}人</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{names} wrote {count} messages</source>
        <comment>{names} wrote a message</comment>
        <translation>
            <numerusform>{names}が{count}件のメッセージを書きました</numerusform>
        </translation>
    </message>
    <message>
        <source>A project</source>
        <translation>プロジェクト</translation>
    </message>
    <message>
        <source>Paused: nothing is read or written in the folder. What you write waits on this computer.</source>
        <translation>一時停止中: フォルダーでは何も読み書きされません。書いたものはこのコンピューターで待機します。</translation>
    </message>
    <message>
        <source>This profile was restored, or a copy of it is in use, so it does not exchange anything. All chats are kept. Join again with the recovery phrase, or forget the folder.</source>
        <translation>このプロファイルは復元されたか、コピーが使われているため、何もやり取りしません。チャットはすべて残っています。リカバリーフレーズでもう一度参加するか、フォルダーの使用をやめてください。</translation>
    </message>
    <message>
        <source>Your chats are being written into the folder. Join it on your other computers.</source>
        <translation>チャットをフォルダーに書き込んでいます。ほかのコンピューターで参加してください。</translation>
    </message>
    <message>
        <source>This computer has joined. What the others have comes in now.</source>
        <translation>このコンピューターが参加しました。ほかのコンピューターの内容を受信しています。</translation>
    </message>
    <message>
        <source>Syncing.</source>
        <translation>同期中。</translation>
    </message>
    <message>
        <source>Not everything is in the folder yet.</source>
        <translation>まだすべてがフォルダーにあるわけではありません。</translation>
    </message>
    <message>
        <source>All chats stay here. The folder stays as it is, for your other computers; nobody can read it without the phrase, with which you can join again.</source>
        <translation>チャットはすべてここに残ります。フォルダーはほかのコンピューターのためにそのまま残り、フレーズがなければ誰も読めません。フレーズがあれば、もう一度参加できます。</translation>
    </message>
    <message>
        <source>Forget the folder?</source>
        <translation>フォルダーの使用をやめますか？</translation>
    </message>
    <message>
        <source>Forget it</source>
        <translation>使用をやめる</translation>
    </message>
    <message>
        <source>This computer has left {folder}. All chats are kept.</source>
        <translation>このコンピューターは{folder}から離れました。チャットはすべて保存されています。</translation>
    </message>
    <message>
        <source>Its chats and those of this computer are merged when you join; nothing is lost.</source>
        <translation>参加すると、そのチャットとこのコンピューターのチャットが統合されます。失われるものはありません。</translation>
    </message>
    <message>
        <source>The phrase is still shown here.</source>
        <translation>フレーズはまだここに表示されています。</translation>
    </message>
    <message>
        <source>Choose another folder, or copy the phrase.</source>
        <translation>別のフォルダーを選ぶか、フレーズをコピーしてください。</translation>
    </message>
    <message>
        <source>Saved as {name}. Print it, or keep it where only you can read it.</source>
        <translation>{name}として保存しました。印刷するか、自分だけが読める場所に保管してください。</translation>
    </message>
    <message>
        <source>Go on without them</source>
        <translation>それらなしで続ける</translation>
    </message>
    <message numerus="yes">
        <source>The text of {count} changes is in the clipboard.</source>
        <comment>The text of {count} change is in the clipboard.</comment>
        <translation>
            <numerusform>{count}件の変更のテキストをクリップボードにコピーしました。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Forget {count} refused changes?</source>
        <comment>Forget {count} refused change?</comment>
        <translation>
            <numerusform>拒否された{count}件の変更を一覧から外しますか？</numerusform>
        </translation>
    </message>
    <message>
        <source>What the server refused is no longer shown and cannot be sent again. Copy the text first if you need it.</source>
        <translation>サーバーが拒否したものは表示されなくなり、再送できません。必要なら先にテキストをコピーしてください。</translation>
    </message>
    <message>
        <source>Sync is off</source>
        <translation>同期はオフ</translation>
    </message>
    <message>
        <source>Sync is off.</source>
        <translation>同期はオフです。</translation>
    </message>
    <message>
        <source>Synced</source>
        <translation>同期済み</translation>
    </message>
    <message>
        <source>Synced.</source>
        <translation>同期済みです。</translation>
    </message>
    <message>
        <source>Syncing…</source>
        <translation>同期中…</translation>
    </message>
    <message>
        <source>Connecting…</source>
        <translation>接続中…</translation>
    </message>
    <message>
        <source>Connecting.</source>
        <translation>接続中。</translation>
    </message>
    <message>
        <source>Offline echo</source>
        <translation>オフラインエコー</translation>
    </message>
    <message>
        <source>the offline model</source>
        <translation>オフラインモデル</translation>
    </message>
    <message>
        <source>The offline model</source>
        <translation>オフラインモデル</translation>
    </message>
    <message>
        <source>Offline</source>
        <translation>オフライン</translation>
    </message>
    <message>
        <source>The offline model pretends to be busy.</source>
        <translation>オフラインモデルが混雑しているふりをしています。</translation>
    </message>
    <message>
        <source>Offline: the team&apos;s database cannot be reached.</source>
        <translation>オフライン: チームのデータベースに接続できません。</translation>
    </message>
    <message>
        <source>Update ChatDesk to send</source>
        <translation>送信にはアップデートが必要</translation>
    </message>
    <message>
        <source>This ChatDesk is too old to send changes; it still receives those of others.</source>
        <translation>このChatDeskは古いため変更を送れません。ほかの人の変更は引き続き受信します。</translation>
    </message>
    <message>
        <source>Refused by the team&apos;s server</source>
        <translation>チームのサーバーが拒否</translation>
    </message>
    <message>
        <source>The team&apos;s database did not let this computer in.</source>
        <translation>チームのデータベースがこのコンピューターを受け入れませんでした。</translation>
    </message>
    <message>
        <source>Synced at {moment}.</source>
        <translation>{moment}に同期しました。</translation>
    </message>
    <message>
        <source>Syncing {done} of {total}.</source>
        <translation>同期中 {done}/{total}。</translation>
    </message>
    <message>
        <source>Synced last at {moment}.</source>
        <translation>最終同期{moment}。</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes were refused.</source>
        <comment>{count} change was refused.</comment>
        <translation>
            <numerusform>{count}件の変更が拒否されました。</numerusform>
        </translation>
    </message>
    <message>
        <source>The next try is at {moment}.</source>
        <translation>次の試行は{moment}です。</translation>
    </message>
    <message>
        <source>never</source>
        <translation>なし</translation>
    </message>
    <message>
        <source>Syncing {done} of {total}</source>
        <translation>同期中 {done}/{total}</translation>
    </message>
    <message>
        <source>Synced {time}</source>
        <translation>同期済み {time}</translation>
    </message>
    <message>
        <source>Refused: {problem}</source>
        <translation>拒否: {problem}</translation>
    </message>
    <message numerus="yes">
        <source>Sending {count} changes</source>
        <comment>Sending {count} change</comment>
        <translation>
            <numerusform>{count}件の変更を送信中</numerusform>
        </translation>
    </message>
    <message>
        <source>{words}.</source>
        <translation>{words}。</translation>
    </message>
    <message>
        <source>Change how the project is shared…</source>
        <translation>プロジェクトの共有を変更…</translation>
    </message>
    <message>
        <source>Share project…</source>
        <translation>プロジェクトを共有…</translation>
    </message>
    <message>
        <source>The others see you as {name} from the next sync on.</source>
        <translation>次の同期から、ほかの人には{name}と表示されます。</translation>
    </message>
    <message>
        <source>{name} was removed, and can no longer log in.</source>
        <translation>{name}を外しました。ログインはできなくなります。</translation>
    </message>
    <message>
        <source>Remove {name} from the workspace?</source>
        <translation>{name}をワークスペースから外しますか？</translation>
    </message>
    <message>
        <source>Removing the member…</source>
        <translation>メンバーを外しています…</translation>
    </message>
    <message>
        <source>Remove the people {name} invited?</source>
        <translation>{name}が招待した人を外しますか？</translation>
    </message>
    <message>
        <source>Remove them</source>
        <translation>外す</translation>
    </message>
    <message>
        <source>This computer has a new password. Add your other computers again.</source>
        <translation>このコンピューターのパスワードが新しくなりました。ほかのコンピューターを追加し直してください。</translation>
    </message>
    <message>
        <source>Make a new password?</source>
        <translation>新しいパスワードを作成しますか？</translation>
    </message>
    <message>
        <source>New password</source>
        <translation>新しいパスワード</translation>
    </message>
    <message>
        <source>Changing the password…</source>
        <translation>パスワードを変更中…</translation>
    </message>
    <message>
        <source>Taking the computer off the list…</source>
        <translation>コンピューターを一覧から外しています…</translation>
    </message>
    <message>
        <source>{name} is off the list.</source>
        <translation>{name}を一覧から外しました。</translation>
    </message>
    <message>
        <source>Take {name} off the list?</source>
        <translation>{name}を一覧から外しますか？</translation>
    </message>
    <message>
        <source>Take off</source>
        <translation>外す</translation>
    </message>
    <message>
        <source>The workspace is called “{name}” now.</source>
        <translation>ワークスペースの名前が「{name}」になりました。</translation>
    </message>
    <message>
        <source>You left “{name}”. Its projects are private copies now.</source>
        <translation>「{name}」を離れました。プロジェクトは個人用コピーになりました。</translation>
    </message>
    <message>
        <source>You are in “{name}” again.</source>
        <translation>「{name}」に戻りました。</translation>
    </message>
    <message>
        <source>You left the workspace. Its projects are private copies now.</source>
        <translation>ワークスペースを離れました。プロジェクトは個人用コピーになりました。</translation>
    </message>
    <message>
        <source>This computer is in no workspace.</source>
        <translation>このコンピューターはどのワークスペースにも入っていません。</translation>
    </message>
    <message>
        <source>Create or join one in Settings, Team sync.</source>
        <translation>「設定」の「チーム同期」で作成または参加してください。</translation>
    </message>
    <message>
        <source>The file could not be written: {why}.</source>
        <translation>ファイルを書き込めませんでした: {why}。</translation>
    </message>
    <message>
        <source>Operation not permitted</source>
        <translation>許可されていない操作です</translation>
    </message>
    <message>
        <source>No such file or directory</source>
        <translation>ファイルまたはフォルダーがありません</translation>
    </message>
    <message>
        <source>Input/output error</source>
        <translation>入出力エラー</translation>
    </message>
    <message>
        <source>Cannot allocate memory</source>
        <translation>メモリが足りません</translation>
    </message>
    <message>
        <source>Permission denied</source>
        <translation>アクセスが拒否されました</translation>
    </message>
    <message>
        <source>Device or resource busy</source>
        <translation>デバイスまたはリソースが使用中です</translation>
    </message>
    <message>
        <source>File exists</source>
        <translation>ファイルはすでに存在します</translation>
    </message>
    <message>
        <source>Not a directory</source>
        <translation>フォルダーではありません</translation>
    </message>
    <message>
        <source>Is a directory</source>
        <translation>フォルダーです</translation>
    </message>
    <message>
        <source>Invalid argument</source>
        <translation>引数が正しくありません</translation>
    </message>
    <message>
        <source>Too many open files</source>
        <translation>開いているファイルが多すぎます</translation>
    </message>
    <message>
        <source>File too large</source>
        <translation>ファイルが大きすぎます</translation>
    </message>
    <message>
        <source>No space left on device</source>
        <translation>空き容量がありません</translation>
    </message>
    <message>
        <source>Read-only file system</source>
        <translation>読み取り専用のファイルシステムです</translation>
    </message>
    <message>
        <source>Broken pipe</source>
        <translation>パイプが切断されました</translation>
    </message>
    <message>
        <source>File name too long</source>
        <translation>ファイル名が長すぎます</translation>
    </message>
    <message>
        <source>Directory not empty</source>
        <translation>フォルダーが空ではありません</translation>
    </message>
    <message>
        <source>Too many levels of symbolic links</source>
        <translation>シンボリックリンクが多すぎます</translation>
    </message>
    <message>
        <source>Disk quota exceeded</source>
        <translation>ディスクの割り当てを超えています</translation>
    </message>
    <message>
        <source>Address already in use</source>
        <translation>アドレスはすでに使用中です</translation>
    </message>
    <message>
        <source>Cannot assign requested address</source>
        <translation>アドレスを割り当てられません</translation>
    </message>
    <message>
        <source>Network is unreachable</source>
        <translation>ネットワークに接続できません</translation>
    </message>
    <message>
        <source>No route to host</source>
        <translation>ホストへの経路がありません</translation>
    </message>
    <message>
        <source>Connection refused</source>
        <translation>接続が拒否されました</translation>
    </message>
    <message>
        <source>Connection reset by peer</source>
        <translation>接続が相手側から切断されました</translation>
    </message>
    <message>
        <source>Connection timed out</source>
        <translation>接続がタイムアウトしました</translation>
    </message>
    <message>
        <source>the system refused</source>
        <translation>システムに拒否されました</translation>
    </message>
    <message>
        <source>The code is still shown here.</source>
        <translation>コードはまだここに表示されています。</translation>
    </message>
    <message>
        <source>Choose another folder, or copy the code.</source>
        <translation>別のフォルダーを選ぶか、コードをコピーしてください。</translation>
    </message>
    <message>
        <source>The workspace “{name}” is ready.</source>
        <translation>ワークスペース「{name}」の準備ができました。</translation>
    </message>
    <message>
        <source>You are in “{name}”.</source>
        <translation>「{name}」に入りました。</translation>
    </message>
    <message>
        <source>{name} cannot be read as an invitation.</source>
        <translation>{name}を招待として読み込めません。</translation>
    </message>
    <message>
        <source>Ask for the code as text.</source>
        <translation>コードをテキストで送ってもらってください。</translation>
    </message>
    <message>
        <source>You are in “{name}” as {member}. What is shared with you comes in now.</source>
        <translation>「{name}」に{member}として入りました。共有されているものが今から届きます。</translation>
    </message>
    <message>
        <source>Opening the file of keys…</source>
        <translation>キーファイルを開いています…</translation>
    </message>
    <message>
        <source>“{name}” and {more} more of “{workspace}” have arrived.</source>
        <translation>「{workspace}」から「{name}」とほか{more}件が届きました。</translation>
    </message>
    <message>
        <source>“{name}” of “{workspace}” has arrived.</source>
        <translation>「{workspace}」から「{name}」が届きました。</translation>
    </message>
    <message>
        <source>This computer now uses {address} for “{name}”.</source>
        <translation>このコンピューターは今後「{name}」に{address}を使います。</translation>
    </message>
    <message>
        <source>To share a project, create a workspace or join one first.</source>
        <translation>プロジェクトを共有するには、先にワークスペースを作成または参加してください。</translation>
    </message>
    <message>
        <source>“{name}” is shared. The line below the threads shows how much has been sent.</source>
        <translation>「{name}」を共有しました。スレッド一覧の下の行で、どこまで送信されたかがわかります。</translation>
    </message>
    <message>
        <source>That project is no longer shared.</source>
        <translation>そのプロジェクトの共有は終了しています。</translation>
    </message>
    <message>
        <source>“{name}” is a private project on this computer now.</source>
        <translation>「{name}」はこのコンピューターの個人用プロジェクトになりました。</translation>
    </message>
    <message>
        <source>Try again in a while.</source>
        <translation>しばらくしてからもう一度試してください。</translation>
    </message>
    <message>
        <source>This is nested too deeply.</source>
        <translation>入れ子が深すぎます。</translation>
    </message>
    <message>
        <source>This is not valid JSON in line {number}.</source>
        <translation>{number}行目が有効なJSONではありません。</translation>
    </message>
    <message>
        <source>This is not valid JSON.</source>
        <translation>有効なJSONではありません。</translation>
    </message>
    <message>
        <source>Arguments are a JSON object: { … }.</source>
        <translation>引数はJSONオブジェクトです: { … }。</translation>
    </message>
    <message>
        <source>1 of {count}</source>
        <translation>1/{count}</translation>
    </message>
    <message>
        <source>Review proposed changes</source>
        <translation>変更案を確認</translation>
    </message>
    <message>
        <source>Review the proposed change</source>
        <translation>変更案を確認</translation>
    </message>
    <message>
        <source>File</source>
        <translation>ファイル</translation>
    </message>
    <message>
        <source>Reject</source>
        <translation>却下</translation>
    </message>
    <message>
        <source>Apply</source>
        <translation>適用</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines added, {removed} removed</source>
        <comment>{count} line added, {removed} removed</comment>
        <translation>
            <numerusform>{count}行追加、{removed}行削除</numerusform>
        </translation>
    </message>
    <message>
        <source>This text has characters that hide, so it is edited in an editor.</source>
        <translation>このテキストには見えない文字が含まれているため、エディターで編集してください。</translation>
    </message>
    <message>
        <source>Difference</source>
        <translation>差分</translation>
    </message>
    <message>
        <source>Applied: {path}</source>
        <translation>適用しました: {path}</translation>
    </message>
    <message>
        <source>Rejected: {path}</source>
        <translation>却下しました: {path}</translation>
    </message>
    <message>
        <source>Undone: {path}</source>
        <translation>元に戻しました: {path}</translation>
    </message>
    <message>
        <source>change a file</source>
        <translation>ファイルの変更</translation>
    </message>
    <message>
        <source>This change was not proposed on this computer.</source>
        <translation>この変更はこのコンピューターで提案されたものではありません。</translation>
    </message>
    <message>
        <source>This change is not applied.</source>
        <translation>この変更は適用されていません。</translation>
    </message>
    <message>
        <source>This change is already applied.</source>
        <translation>この変更はすでに適用されています。</translation>
    </message>
    <message>
        <source>This change was rejected.</source>
        <translation>この変更は却下されました。</translation>
    </message>
    <message>
        <source>The file is no longer the one that this change was made from.</source>
        <translation>ファイルが、この変更のもとになったものと異なります。</translation>
    </message>
    <message>
        <source>The file was changed after this change was applied.</source>
        <translation>この変更の適用後にファイルが変更されました。</translation>
    </message>
    <message>
        <source>The project has no folder on this computer, or another one by now.</source>
        <translation>このコンピューターにはプロジェクトのフォルダーがないか、別のフォルダーになっています。</translation>
    </message>
    <message>
        <source>This change was not proposed on this computer, or too long ago.</source>
        <translation>この変更は、このコンピューターで提案されたものではないか、古すぎます。</translation>
    </message>
    <message>
        <source>Name a file.</source>
        <translation>ファイルを指定してください。</translation>
    </message>
    <message>
        <source>This change is too large to review, or has lines that are too long.</source>
        <translation>この変更は確認するには大きすぎるか、長すぎる行があります。</translation>
    </message>
    <message>
        <source>Propose it in smaller steps.</source>
        <translation>小さく分けて提案してください。</translation>
    </message>
    <message>
        <source>The change could not be kept: {reason}.</source>
        <translation>変更を保存できませんでした: {reason}。</translation>
    </message>
    <message>
        <source>No file was changed.</source>
        <translation>ファイルは変更されていません。</translation>
    </message>
    <message>
        <source>The file has this text already.</source>
        <translation>ファイルの内容はすでにこのテキストです。</translation>
    </message>
    <message>
        <source>The files that are kept of this change cannot be read or written.</source>
        <translation>この変更について保存されているファイルを読み書きできません。</translation>
    </message>
    <message>
        <source>Ask the model to propose it again.</source>
        <translation>もう一度提案するようモデルに頼んでください。</translation>
    </message>
    <message>
        <source>Ask the model to propose it here.</source>
        <translation>ここで提案するようモデルに頼んでください。</translation>
    </message>
    <message numerus="yes">
        <source>{count} tool servers</source>
        <comment>{count} tool server</comment>
        <translation>
            <numerusform>{count}台のツールサーバー</numerusform>
        </translation>
    </message>
    <message>
        <source>Tools in this thread: {names}</source>
        <translation>このスレッドのツール: {names}</translation>
    </message>
    <message>
        <source>Folder: {folder}</source>
        <translation>フォルダー: {folder}</translation>
    </message>
    <message>
        <source>As in the project</source>
        <translation>プロジェクトと同じ</translation>
    </message>
    <message>
        <source>Use these in the whole project</source>
        <translation>プロジェクト全体で使う</translation>
    </message>
    <message>
        <source>Tool servers…</source>
        <translation>ツールサーバー…</translation>
    </message>
    <message>
        <source>{name} of {server} waits for your approval: Ctrl+Shift+Y.</source>
        <translation>{server}の{name}が承認を待っています: Ctrl+Shift+Y。</translation>
    </message>
    <message>
        <source>{name} waits for your approval in another thread.</source>
        <translation>別のスレッドで{name}が承認を待っています。</translation>
    </message>
    <message>
        <source>Allow in this project</source>
        <translation>このプロジェクトで許可</translation>
    </message>
    <message>
        <source>Always allow</source>
        <translation>常に許可</translation>
    </message>
    <message>
        <source>Allow in this thread</source>
        <translation>このスレッドで許可</translation>
    </message>
    <message>
        <source>Allow in this thread, it only reads</source>
        <translation>このスレッドで許可、読み取りのみ</translation>
    </message>
    <message>
        <source>Allow in this project, it only reads</source>
        <translation>このプロジェクトで許可、読み取りのみ</translation>
    </message>
    <message>
        <source>Always allow, it only reads</source>
        <translation>常に許可、読み取りのみ</translation>
    </message>
    <message>
        <source>Deny</source>
        <translation>拒否</translation>
    </message>
    <message>
        <source>Allow once</source>
        <translation>1回だけ許可</translation>
    </message>
    <message>
        <source>Allow for longer…</source>
        <translation>より長く許可…</translation>
    </message>
    <message>
        <source>You say that it changes and sends nothing, so it also runs after text from outside.</source>
        <translation>何も変更せず送信もしないと指定することになるため、外部のテキストの後でも実行されます。</translation>
    </message>
    <message>
        <source>Run “{name}” of {server}?</source>
        <translation>{server}の「{name}」を実行しますか？</translation>
    </message>
    <message>
        <source>{what}?</source>
        <translation>{what}？</translation>
    </message>
    <message>
        <source>Arguments of {name}</source>
        <translation>{name}の引数</translation>
    </message>
    <message numerus="yes">
        <source>{count} more characters are not shown, but would be sent.</source>
        <comment>{count} more character is not shown, but would be sent.</comment>
        <translation>
            <numerusform>ほかに{count}文字は表示されていませんが、送られます。</numerusform>
        </translation>
    </message>
    <message>
        <source>Deny: {name} of {server}</source>
        <translation>拒否: {server}の{name}</translation>
    </message>
    <message>
        <source>Allow once: {name} of {server}</source>
        <translation>1回だけ許可: {server}の{name}</translation>
    </message>
    <message>
        <source>ChatDesk runs this itself. What it finds goes to the model that answers.</source>
        <translation>ChatDesk自身が実行します。見つかったものは、回答するモデルに送られます。</translation>
    </message>
    <message>
        <source>These arguments are sent to {where}</source>
        <translation>これらの引数は{where}に送られます</translation>
    </message>
    <message>
        <source>These arguments are given to a program on this computer: {where}</source>
        <translation>これらの引数はこのコンピューターのプログラムに渡されます: {where}</translation>
    </message>
    <message>
        <source>{server} asks you for something: Ctrl+Shift+Y.</source>
        <translation>{server}が入力を求めています: Ctrl+Shift+Y。</translation>
    </message>
    <message>
        <source>{server} asks you for something in another thread.</source>
        <translation>別のスレッドで{server}が入力を求めています。</translation>
    </message>
    <message>
        <source>User</source>
        <comment>role</comment>
        <translation>ユーザー</translation>
    </message>
    <message>
        <source>Decline</source>
        <translation>断る</translation>
    </message>
    <message>
        <source>{server} asks you for something</source>
        <translation>{server}が入力を求めています</translation>
    </message>
    <message>
        <source>{server} wants you to open a page</source>
        <translation>{server}がページを開くよう求めています</translation>
    </message>
    <message>
        <source>Open in browser</source>
        <translation>ブラウザーで開く</translation>
    </message>
    <message>
        <source>{server} wants to ask {model}</source>
        <translation>{server}が{model}に質問しようとしています</translation>
    </message>
    <message>
        <source>The whole question</source>
        <translation>質問の全文</translation>
    </message>
    <message numerus="yes">
        <source>{names} look like secrets. {server} gets what you enter, as you enter it.</source>
        <comment>{names} looks like a secret. {server} gets what you enter, as you enter it.</comment>
        <translation>
            <numerusform>{names}はシークレットのようです。入力したものはそのまま{server}に渡されます。</numerusform>
        </translation>
    </message>
    <message>
        <source>The server asks while “{tool}” runs.</source>
        <translation>サーバーが「{tool}」の実行中に求めています。</translation>
    </message>
    <message>
        <source>The server chose this page: check the address before you enter anything there.</source>
        <translation>このページはサーバーが選んだものです。何か入力する前にアドレスを確認してください。</translation>
    </message>
    <message numerus="yes">
        <source>This costs you at most {count} tokens and counts towards your limits.</source>
        <comment>This costs you at most {count} token and counts towards your limits.</comment>
        <translation>
            <numerusform>最大{count}トークンの費用がかかり、自分の上限に算入されます。</numerusform>
        </translation>
    </message>
    <message>
        <source>The answer is sent to {where}</source>
        <translation>回答は{where}に送られます</translation>
    </message>
    <message>
        <source>The answer is given to a program on this computer: {where}</source>
        <translation>回答はこのコンピューターのプログラムに渡されます: {where}</translation>
    </message>
    <message>
        <source>What you enter is sent to {where}</source>
        <translation>入力した内容は{where}に送られます</translation>
    </message>
    <message>
        <source>What you enter is given to a program on this computer: {where}</source>
        <translation>入力した内容はこのコンピューターのプログラムに渡されます: {where}</translation>
    </message>
    <message>
        <source>None: models only read pages</source>
        <translation>なし: モデルはページの閲覧のみ</translation>
    </message>
    <message>
        <source>A server that asks other search engines: yours, or one whose owner lets programs search.</source>
        <translation>ほかの検索エンジンに問い合わせるサーバーです。自分のもの、または所有者がプログラムの検索を認めているもの。</translation>
    </message>
    <message>
        <source>A service. What is searched for goes there, with your key.</source>
        <translation>外部サービスです。検索内容が自分のキーとともにそこへ送られます。</translation>
    </message>
    <message>
        <source>Web search</source>
        <translation>Web検索</translation>
    </message>
    <message>
        <source>Search engine</source>
        <translation>検索エンジン</translation>
    </message>
    <message>
        <source>Address of SearXNG</source>
        <translation>SearXNGのアドレス</translation>
    </message>
    <message>
        <source>{address} or {other}</source>
        <translation>{address} または {other}</translation>
    </message>
    <message>
        <source>Test the search engine</source>
        <translation>検索エンジンをテスト</translation>
    </message>
    <message>
        <source>A key is kept; type another to replace it</source>
        <translation>キーは保管済み。置き換えるには別のキーを入力</translation>
    </message>
    <message>
        <source>A key is kept. Type another to replace it.</source>
        <translation>キーは保管されています。置き換えるには別のキーを入力してください。</translation>
    </message>
    <message>
        <source>Testing…</source>
        <translation>テスト中…</translation>
    </message>
    <message>
        <source>Saving…</source>
        <translation>保存中…</translation>
    </message>
    <message>
        <source>Comes with ChatDesk. No search engine is chosen: models can only read pages.</source>
        <translation>ChatDeskに付属。検索エンジンが選ばれていないため、モデルはページの閲覧だけができます。</translation>
    </message>
    <message>
        <source>Comes with ChatDesk. Searches with {engine} at {host}.</source>
        <translation>ChatDeskに付属。{host}の{engine}で検索します。</translation>
    </message>
    <message>
        <source>Comes with ChatDesk. Searches with {engine}.</source>
        <translation>ChatDeskに付属。{engine}で検索します。</translation>
    </message>
    <message>
        <source>The program gets only these variables, the PATH and the places of your files. Secrets are kept with your keys.</source>
        <translation>プログラムに渡されるのは、これらの変数、PATH、ファイルの場所だけです。シークレットはキーと一緒に保管されます。</translation>
    </message>
    <message>
        <source>Add a tool server</source>
        <translation>ツールサーバーを追加</translation>
    </message>
    <message>
        <source>Edit the tool server</source>
        <translation>ツールサーバーを編集</translation>
    </message>
    <message>
        <source>For example: Notes</source>
        <translation>例: メモ</translation>
    </message>
    <message>
        <source>Command or address</source>
        <translation>コマンドまたはアドレス</translation>
    </message>
    <message>
        <source>Variables or headers</source>
        <translation>変数またはヘッダー</translation>
    </message>
    <message>
        <source>Folder it runs in</source>
        <translation>実行するフォルダー</translation>
    </message>
    <message>
        <source>An empty folder of its own</source>
        <translation>専用の空のフォルダー</translation>
    </message>
    <message>
        <source>Client ID</source>
        <translation>クライアントID</translation>
    </message>
    <message>
        <source>Empty: ChatDesk registers itself</source>
        <translation>空欄: ChatDeskが自動で登録</translation>
    </message>
    <message>
        <source>Client secret</source>
        <translation>クライアントシークレット</translation>
    </message>
    <message>
        <source>Empty: none</source>
        <translation>空欄: なし</translation>
    </message>
    <message>
        <source>Unchanged</source>
        <translation>変更なし</translation>
    </message>
    <message>
        <source>You can also paste the JSON of Claude Desktop, Cursor, VS Code or LM Studio here.</source>
        <translation>Claude Desktop、Cursor、VS Code、LM StudioのJSONをここに貼り付けることもできます。</translation>
    </message>
    <message>
        <source>Variables, or headers of an address, a line each</source>
        <translation>変数、またはアドレスのヘッダー(1行に1つ)</translation>
    </message>
    <message>
        <source>Folder</source>
        <translation>フォルダー</translation>
    </message>
    <message>
        <source>File of the project</source>
        <translation>プロジェクトのファイル</translation>
    </message>
    <message>
        <source>Client ID, if you registered one to sign in with</source>
        <translation>クライアントID(サインイン用に登録した場合)</translation>
    </message>
    <message>
        <source>Filled in from the description of “{name}”.</source>
        <translation>「{name}」の記述から入力しました。</translation>
    </message>
    <message>
        <source>Still to be filled in: {missing}.</source>
        <translation>未入力: {missing}。</translation>
    </message>
    <message numerus="yes">
        <source>Once it is saved, {count} more servers follow.</source>
        <comment>Once it is saved, {count} more server follows.</comment>
        <translation>
            <numerusform>保存すると、残り{count}台のサーバーに進みます。</numerusform>
        </translation>
    </message>
    <message>
        <source>Give it a name.</source>
        <translation>名前を付けてください。</translation>
    </message>
    <message>
        <source>Enter the command that starts it, or its address.</source>
        <translation>起動するコマンドか、アドレスを入力してください。</translation>
    </message>
    <message>
        <source>A quotation mark of the command is not closed.</source>
        <translation>コマンドの引用符が閉じられていません。</translation>
    </message>
    <message>
        <source>Write each line as NAME=value, not “{line}”.</source>
        <translation>各行を「{line}」ではなくNAME=valueの形式で書いてください。</translation>
    </message>
    <message>
        <source>{name} asks you to sign in: Ctrl+Shift+Y.</source>
        <translation>{name}がサインインを求めています: Ctrl+Shift+Y。</translation>
    </message>
    <message>
        <source>Asking where to sign in…</source>
        <translation>サインイン先を問い合わせ中…</translation>
    </message>
    <message>
        <source>Signed in. Ask again to use its tools.</source>
        <translation>サインインしました。ツールを使うには、もう一度質問してください。</translation>
    </message>
    <message>
        <source>Sign in…</source>
        <translation>サインイン…</translation>
    </message>
    <message>
        <source>{name} asks you to sign in</source>
        <translation>{name}がサインインを求めています</translation>
    </message>
    <message>
        <source>The tools of {address} are left out until you have signed in.</source>
        <translation>サインインするまで、{address}のツールは使われません。</translation>
    </message>
    <message>
        <source>Sign in at {host} in your browser, within five minutes.</source>
        <translation>5分以内に、ブラウザーで{host}にサインインしてください。</translation>
    </message>
    <message>
        <source>Signed out here. The server was not told, or cannot withdraw a sign-in: end it in your account there.</source>
        <translation>ここではサインアウトしました。サーバーには伝わっていないか、サーバーが取り消しに対応していません。そちらのアカウントで終了してください。</translation>
    </message>
    <message>
        <source>Signing out…</source>
        <translation>サインアウト中…</translation>
    </message>
    <message>
        <source>It did not ask you to sign in.</source>
        <translation>サインインは求められませんでした。</translation>
    </message>
    <message>
        <source>Remove {name}?</source>
        <translation>{name}を外しますか？</translation>
    </message>
    <message>
        <source>Its tools are gone from all threads, with its secrets and what you allowed. Threads keep what it answered.</source>
        <translation>ツールはシークレットと許可とともに、すべてのスレッドからなくなります。これまでの応答はスレッドに残ります。</translation>
    </message>
    <message>
        <source>What models can use to read files, search and act. Nothing runs before you allow it.</source>
        <translation>モデルがファイルの読み取り、検索、操作に使えるものです。許可するまで何も実行されません。</translation>
    </message>
    <message>
        <source>No other server is set up.</source>
        <translation>ほかのサーバーは設定されていません。</translation>
    </message>
    <message>
        <source>ChatDesk asks about every call.</source>
        <translation>ChatDeskは呼び出しのたびに確認します。</translation>
    </message>
    <message>
        <source>Found</source>
        <translation>検出</translation>
    </message>
    <message>
        <source>Started</source>
        <translation>起動</translation>
    </message>
    <message>
        <source>Speaks the protocol</source>
        <translation>プロトコル対応</translation>
    </message>
    <message>
        <source>Lists its tools</source>
        <translation>ツールの一覧</translation>
    </message>
    <message>
        <source>in one project</source>
        <translation>1つのプロジェクト</translation>
    </message>
    <message>
        <source>see and change what ChatDesk remembers</source>
        <translation>ChatDeskが記憶していることを確認、変更します</translation>
    </message>
    <message>
        <source>list the facts that are remembered</source>
        <translation>記憶している事柄を一覧表示します</translation>
    </message>
    <message>
        <source>remember a fact</source>
        <translation>事柄を記憶します</translation>
    </message>
    <message>
        <source>change the words of a memory</source>
        <translation>メモリーの文を変更します</translation>
    </message>
    <message>
        <source>delete memories for good</source>
        <translation>メモリーを完全に削除します</translation>
    </message>
    <message>
        <source>write all memories to a JSON file</source>
        <translation>すべてのメモリーをJSONファイルに書き出します</translation>
    </message>
    <message>
        <source>its id, as listed</source>
        <translation>一覧に表示されたid</translation>
    </message>
    <message>
        <source>one sentence</source>
        <translation>1つの文</translation>
    </message>
    <message>
        <source>only for this project, by its name or id</source>
        <translation>このプロジェクト専用(名前またはidで指定)</translation>
    </message>
    <message>
        <source>ids, as listed</source>
        <translation>一覧に表示されたid(複数可)</translation>
    </message>
    <message>
        <source>all memories</source>
        <translation>すべてのメモリー</translation>
    </message>
    <message>
        <source>the file to write</source>
        <translation>書き出すファイル</translation>
    </message>
    <message>
        <source>Name the memories to delete, or --all.</source>
        <translation>削除するメモリーか--allを指定してください。</translation>
    </message>
    <message>
        <source>Change the memories in its window, or close it first.</source>
        <translation>ウィンドウでメモリーを変更するか、先に閉じてください。</translation>
    </message>
    <message>
        <source>everywhere</source>
        <translation>すべての場所</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent.</source>
        <translation>メモリーはオフです。何も保存されず、何も送られません。</translation>
    </message>
    <message>
        <source>This was remembered already.</source>
        <translation>これはすでに記憶していました。</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories deleted</source>
        <comment>{count} memory deleted</comment>
        <translation>
            <numerusform>{count}件のメモリーを削除しました</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} memories written</source>
        <comment>{count} memory written</comment>
        <translation>
            <numerusform>{count}件のメモリーを書き出しました</numerusform>
        </translation>
    </message>
    <message>
        <source>in one project, also after text from outside</source>
        <translation>1つのプロジェクト、外部のテキストの後も</translation>
    </message>
    <message>
        <source>everywhere, also after text from outside</source>
        <translation>すべての場所、外部のテキストの後も</translation>
    </message>
    <message>
        <source>Add server…</source>
        <translation>サーバーを追加…</translation>
    </message>
    <message>
        <source>Allowed without asking</source>
        <translation>確認なしで許可</translation>
    </message>
    <message>
        <source>{tool} of {server}</source>
        <translation>{server}の{tool}</translation>
    </message>
    <message>
        <source>{scope} · since {when}</source>
        <translation>{scope} · {when}から</translation>
    </message>
    <message>
        <source>Ask again</source>
        <translation>再び確認</translation>
    </message>
    <message>
        <source>Models can look things up in your earlier threads.</source>
        <translation>モデルは以前のスレッドを調べることができます。</translation>
    </message>
    <message>
        <source>Ask again about {title}</source>
        <translation>{title}について再び確認</translation>
    </message>
    <message>
        <source>Search engine…</source>
        <translation>検索エンジン…</translation>
    </message>
    <message>
        <source>It wrote: {tail}</source>
        <translation>出力: {tail}</translation>
    </message>
    <message>
        <source>Models can read the files of a project&apos;s folder, and propose changes to them.</source>
        <translation>モデルがプロジェクトのフォルダーのファイルを読み、変更を提案できます。</translation>
    </message>
    <message>
        <source>in one thread</source>
        <translation>1つのスレッド</translation>
    </message>
    <message>
        <source>in one thread, also after text from outside</source>
        <translation>1つのスレッド、外部のテキストの後も</translation>
    </message>
    <message>
        <source>May ask your model for an answer, if you agree each time</source>
        <translation>毎回同意すれば、モデルに回答を求められます</translation>
    </message>
    <message>
        <source>Sign out</source>
        <translation>サインアウト</translation>
    </message>
    <message>
        <source>Sign out of {name}</source>
        <translation>{name}からサインアウト</translation>
    </message>
    <message>
        <source>Sign in to {name}</source>
        <translation>{name}にサインイン</translation>
    </message>
    <message>
        <source>Test {name}</source>
        <translation>{name}をテスト</translation>
    </message>
    <message>
        <source>Edit {name}</source>
        <translation>{name}を編集</translation>
    </message>
    <message>
        <source>Choose the search engine</source>
        <translation>検索エンジンを選択</translation>
    </message>
    <message numerus="yes">
        <source>{count} tools</source>
        <comment>{count} tool</comment>
        <translation>
            <numerusform>{count}個のツール</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Running, {count} tools</source>
        <comment>Running, {count} tool</comment>
        <translation>
            <numerusform>実行中、{count}個のツール</numerusform>
        </translation>
    </message>
    <message>
        <source>It failed.</source>
        <translation>失敗しました。</translation>
    </message>
    <message>
        <source>Starts when it is needed</source>
        <translation>必要なときに起動します</translation>
    </message>
    <message>
        <source>Markdown (*.md)</source>
        <translation>Markdown (*.md)</translation>
    </message>
    <message>
        <source>Web page (*.html)</source>
        <translation>Webページ (*.html)</translation>
    </message>
    <message>
        <source>PDF (*.pdf)</source>
        <translation>PDF (*.pdf)</translation>
    </message>
    <message>
        <source>ChatDesk&apos;s JSON with attachments (*.zip);;ChatDesk&apos;s JSON (*.json)</source>
        <translation>添付ファイル付きのChatDeskのJSON (*.zip);;ChatDeskのJSON (*.json)</translation>
    </message>
    <message>
        <source>The project</source>
        <translation>プロジェクト</translation>
    </message>
    <message numerus="yes">
        <source>These {count} threads</source>
        <comment>This thread</comment>
        <translation>
            <numerusform>これらの{count}件のスレッド</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>The thread has {count} messages, too many for the clipboard. Export it instead.</source>
        <comment>The thread has {count} message, too many for the clipboard. Export it instead.</comment>
        <translation>
            <numerusform>スレッドには{count}件のメッセージがあり、クリップボードには多すぎます。代わりにエクスポートしてください。</numerusform>
        </translation>
    </message>
    <message>
        <source>The thread is in the clipboard, as Markdown</source>
        <translation>スレッドをMarkdownとしてクリップボードにコピーしました</translation>
    </message>
    <message>
        <source>Export</source>
        <translation>エクスポート</translation>
    </message>
    <message>
        <source>Folder to export into</source>
        <translation>エクスポート先のフォルダー</translation>
    </message>
    <message>
        <source>The export was cancelled; nothing was left behind.</source>
        <translation>エクスポートを取り消しました。何も残っていません。</translation>
    </message>
    <message>
        <source>Exporting</source>
        <translation>エクスポート中</translation>
    </message>
    <message>
        <source>Reading…</source>
        <translation>読み込み中…</translation>
    </message>
    <message numerus="yes">
        <source>{done} of {count} messages</source>
        <comment>{done} of {count} message</comment>
        <translation>
            <numerusform>メッセージ{done}/{count}</numerusform>
        </translation>
    </message>
    <message>
        <source>For editors and notes. One file a thread, attachments in a folder beside it.</source>
        <translation>エディターやメモ用。スレッドごとに1ファイル、添付ファイルは隣のフォルダー。</translation>
    </message>
    <message>
        <source>Web page</source>
        <translation>Webページ</translation>
    </message>
    <message>
        <source>One file with everything in it, to read and to print.</source>
        <translation>閲覧と印刷用に、すべてを1つのファイルに。</translation>
    </message>
    <message>
        <source>For paper and for sending on.</source>
        <translation>印刷や転送用。</translation>
    </message>
    <message>
        <source>JSON with attachments (zip)</source>
        <translation>添付ファイル付きJSON(zip)</translation>
    </message>
    <message>
        <source>Everything, other versions too. ChatDesk can import it again.</source>
        <translation>ほかのバージョンも含むすべて。ChatDeskに再びインポートできます。</translation>
    </message>
    <message>
        <source>What to export</source>
        <translation>エクスポートするもの</translation>
    </message>
    <message>
        <source>Include the trash</source>
        <translation>ゴミ箱を含める</translation>
    </message>
    <message>
        <source>Choose where…</source>
        <translation>保存先を選択…</translation>
    </message>
    <message>
        <source>In ChatGPT open Settings, Data controls, and choose Export data. A link to a zip file comes by e-mail. Choose that file here, as it is.</source>
        <translation>ChatGPTでSettings、Data controlsを開き、Export dataを選びます。zipファイルへのリンクがメールで届きます。そのファイルをそのままここで選んでください。</translation>
    </message>
    <message>
        <source>In Claude open Settings, Privacy, and choose Export data. A link to a zip file comes by e-mail. Choose that file here, as it is.</source>
        <translation>ClaudeでSettings、Privacyを開き、Export dataを選びます。zipファイルへのリンクがメールで届きます。そのファイルをそのままここで選んでください。</translation>
    </message>
    <message>
        <source>In Google Takeout choose My Activity alone, in it Gemini Apps alone, and JSON as the format. A link to a zip file comes by e-mail. Choose that file here, as it is.</source>
        <translation>Google Takeoutで「マイ アクティビティ」だけを、その中で「Gemini アプリ」だけを選び、形式をJSONにします。zipファイルへのリンクがメールで届きます。そのファイルをそのままここで選んでください。</translation>
    </message>
    <message>
        <source>In Open WebUI open Settings, Chats, and choose Export Chats. It saves a JSON file: choose it here.</source>
        <translation>Open WebUIでSettings、Chatsを開き、Export Chatsを選びます。JSONファイルが保存されるので、ここで選んでください。</translation>
    </message>
    <message>
        <source>In LibreChat open a conversation, choose Export in its menu, and JSON as the format. Choose that file here.</source>
        <translation>LibreChatで会話を開き、メニューのExportで形式をJSONにします。そのファイルをここで選んでください。</translation>
    </message>
    <message>
        <source>In AnythingLLM open Settings, Admin, Workspace Chats, and choose Export, then JSON. Choose that file here. CSV and JSONL are read as well, with less in them.</source>
        <translation>AnythingLLMでSettings、Admin、Workspace Chatsを開き、Export、JSONの順に選びます。そのファイルをここで選んでください。CSVとJSONLも読み込めますが、内容は少なくなります。</translation>
    </message>
    <message>
        <source>In Chatbox open Settings, General, Data Backup. Tick Chat History and choose Export Selected Data. Choose that file here.</source>
        <translation>ChatboxでSettings、General、Data Backupを開きます。Chat Historyにチェックを入れ、Export Selected Dataを選びます。そのファイルをここで選んでください。</translation>
    </message>
    <message>
        <source>In Cherry Studio open Settings, Data Settings. Choose Export to Phone and export to a file; in older versions choose Backup. Choose that zip file here.</source>
        <translation>Cherry StudioでSettings、Data Settingsを開きます。Export to Phoneを選んでファイルにエクスポートします。古いバージョンではBackupを選びます。そのzipファイルをここで選んでください。</translation>
    </message>
    <message>
        <source>In Jan open Settings, General, and show the data folder. Choose the folder “threads” in it here.</source>
        <translation>JanでSettings、Generalを開き、データフォルダーを表示します。その中のフォルダー「threads」をここで選んでください。</translation>
    </message>
    <message>
        <source>Choose the folder “conversations” here. It is in the folder “.lmstudio” of your home folder; LM Studio shows it when you choose Reveal in the menu of a chat.</source>
        <translation>フォルダー「conversations」をここで選んでください。ホームフォルダーのフォルダー「.lmstudio」にあります。LM StudioではチャットのメニューのRevealで表示できます。</translation>
    </message>
    <message>
        <source>In the other ChatDesk choose Export… in the menu of a thread, then Everything, and JSON. Choose that zip file here.</source>
        <translation>もう一方のChatDeskで、スレッドのメニューの「エクスポート…」から「すべて」とJSONを選びます。そのzipファイルをここで選んでください。</translation>
    </message>
    <message>
        <source>Import or attach?</source>
        <translation>インポートしますか、添付しますか？</translation>
    </message>
    <message>
        <source>“{name}” looks like an export of chats. Import its threads, or attach the file to your message?</source>
        <translation>「{name}」はチャットのエクスポートのようです。スレッドをインポートしますか？それともファイルをメッセージに添付しますか？</translation>
    </message>
    <message>
        <source>Import</source>
        <translation>インポート</translation>
    </message>
    <message>
        <source>Attach</source>
        <translation>添付</translation>
    </message>
    <message>
        <source>Report</source>
        <translation>レポート</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories are kept</source>
        <comment>{count} memory is kept</comment>
        <translation>
            <numerusform>{count}件のメモリーが保存されています</numerusform>
        </translation>
    </message>
    <message>
        <source>The report is in the clipboard</source>
        <translation>レポートをクリップボードにコピーしました</translation>
    </message>
    <message>
        <source>Exports (*.zip *.json *.jsonl *.csv);;All files (*)</source>
        <translation>エクスポート (*.zip *.json *.jsonl *.csv);;すべてのファイル (*)</translation>
    </message>
    <message>
        <source>One named after the program</source>
        <translation>プログラム名のプロジェクト</translation>
    </message>
    <message>
        <source>Looking into the file…</source>
        <translation>ファイルを確認中…</translation>
    </message>
    <message>
        <source>Import a folder</source>
        <translation>フォルダーをインポート</translation>
    </message>
    <message>
        <source>{name} is chosen. Import starts it.</source>
        <translation>{name}を選びました。「インポート」で始まります。</translation>
    </message>
    <message>
        <source>Stopping…</source>
        <translation>停止中…</translation>
    </message>
    <message>
        <source>What is here already stays as it is, so a newer export of the same chats can be imported at any time.</source>
        <translation>すでにここにあるものはそのままなので、同じチャットの新しいエクスポートをいつでもインポートできます。</translation>
    </message>
    <message>
        <source>Import a file…</source>
        <translation>ファイルをインポート…</translation>
    </message>
    <message>
        <source>Import a folder…</source>
        <translation>フォルダーをインポート…</translation>
    </message>
    <message>
        <source>Project for the imported threads</source>
        <translation>インポートしたスレッドのプロジェクト</translation>
    </message>
    <message>
        <source>Into project</source>
        <translation>入れるプロジェクト</translation>
    </message>
    <message>
        <source>Program that the chats come from</source>
        <translation>チャットの元のプログラム</translation>
    </message>
    <message>
        <source>Chats from</source>
        <translation>チャットの元</translation>
    </message>
    <message>
        <source>Open {program}</source>
        <translation>{program}を開く</translation>
    </message>
    <message>
        <source>Progress of the import</source>
        <translation>インポートの進行状況</translation>
    </message>
    <message>
        <source>You can go on working: the import does not need this window. What is imported already stays if you stop.</source>
        <translation>そのまま作業を続けられます。インポートにこのウィンドウは必要ありません。停止しても、すでにインポートしたものは残ります。</translation>
    </message>
    <message>
        <source>Hide</source>
        <translation>隠す</translation>
    </message>
    <message>
        <source>Result of each thread</source>
        <translation>各スレッドの結果</translation>
    </message>
    <message>
        <source>ChatDesk {version} is available.</source>
        <translation>ChatDesk {version}を利用できます。</translation>
    </message>
    <message>
        <source>This is ChatDesk {version}.</source>
        <translation>これはChatDesk {version}です。</translation>
    </message>
    <message>
        <source>Look now</source>
        <translation>今すぐ確認</translation>
    </message>
    <message>
        <source>Open the page</source>
        <translation>ページを開く</translation>
    </message>
    <message>
        <source>ChatDesk {version} is the newest version.</source>
        <translation>ChatDesk {version}は最新バージョンです。</translation>
    </message>
    <message>
        <source>ChatDesk {new} is available; you have {version}.</source>
        <translation>ChatDesk {new}を利用できます。現在は{version}です。</translation>
    </message>
    <message>
        <source>Looking for a new version…</source>
        <translation>新しいバージョンを確認中…</translation>
    </message>
    <message>
        <source>Tokens a day</source>
        <translation>1日のトークン数</translation>
    </message>
    <message>
        <source>Tokens a month</source>
        <translation>1か月のトークン数</translation>
    </message>
    <message>
        <source>Dollars a day</source>
        <translation>1日のドル</translation>
    </message>
    <message>
        <source>Dollars a month</source>
        <translation>1か月のドル</translation>
    </message>
    <message>
        <source>At the warning you get one note a day, and titles and summaries wait. At the stop nothing more is sent: your question is kept, and you can send it anyway. A model without a price counts as free here. Messages have a rate, such as 20/min or 200/day: further ones wait their turn.</source>
        <translation>警告に達すると1日1回お知らせが表示され、タイトルと要約が待機します。停止に達すると何も送られません。質問は保存され、そのまま送ることもできます。価格のないモデルは無料として扱われます。メッセージには20/minや200/dayのような頻度を指定でき、それ以上は順番を待ちます。</translation>
    </message>
    <message>
        <source>Add a limit</source>
        <translation>上限を追加</translation>
    </message>
    <message>
        <source>Two rates apply to the same provider or project. Remove one of them.</source>
        <translation>同じプロバイダーまたはプロジェクトに2つの頻度が適用されます。どちらかを削除してください。</translation>
    </message>
    <message>
        <source>Remove limit {number}</source>
        <translation>上限{number}を外す</translation>
    </message>
    <message>
        <source>Warning at</source>
        <translation>警告</translation>
    </message>
    <message>
        <source>Stop at</source>
        <translation>停止</translation>
    </message>
    <message>
        <source>At most</source>
        <translation>最大</translation>
    </message>
    <message>
        <source>“{typed}” is not a rate ({where}): {why}.</source>
        <translation>「{typed}」は頻度ではありません({where}): {why}。</translation>
    </message>
    <message>
        <source>Limit {number}, for</source>
        <translation>上限{number}、対象</translation>
    </message>
    <message>
        <source>Limit {number}, of</source>
        <translation>上限{number}、種類</translation>
    </message>
    <message>
        <source>Limit {number}, warning at</source>
        <translation>上限{number}、警告</translation>
    </message>
    <message>
        <source>Limit {number}, stop at</source>
        <translation>上限{number}、停止</translation>
    </message>
    <message>
        <source>No warning</source>
        <translation>警告なし</translation>
    </message>
    <message>
        <source>No stop</source>
        <translation>停止なし</translation>
    </message>
    <message>
        <source>“{typed}” is not a number ({where}). Write it as 100000 or 2.50.</source>
        <translation>「{typed}」は数値ではありません({where})。100000や2.50のように入力してください。</translation>
    </message>
    <message>
        <source>It is sent when the answer before it is complete.</source>
        <translation>前の回答が完了すると送られます。</translation>
    </message>
    <message>
        <source>The answer before it was not completed. Go to it to send it now.</source>
        <translation>前の回答が完了しませんでした。今すぐ送るには、そこへ移動してください。</translation>
    </message>
    <message>
        <source>You are offline. It is sent when the connection is back.</source>
        <translation>オフラインです。接続が戻ると送られます。</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages wait</source>
        <comment>{count} message waits</comment>
        <translation>
            <numerusform>{count}件のメッセージが待機中</numerusform>
        </translation>
    </message>
    <message>
        <source>ChatDesk usage {first} to {last}.csv</source>
        <translation>ChatDesk 使用量 {first}-{last}.csv</translation>
    </message>
    <message>
        <source>Export usage</source>
        <translation>使用量をエクスポート</translation>
    </message>
    <message>
        <source>CSV (*.csv)</source>
        <translation>CSV (*.csv)</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines were written to {name}</source>
        <comment>{count} line was written to {name}</comment>
        <translation>
            <numerusform>{count}行を{name}に書き込みました</numerusform>
        </translation>
    </message>
    <message>
        <source>{amount} used</source>
        <translation>{amount}使用</translation>
    </message>
    <message>
        <source>It is sent in a moment.</source>
        <translation>まもなく送られます。</translation>
    </message>
    <message>
        <source>Waiting: sends at {clock}, {before} before it.</source>
        <translation>待機中: {clock}に送信、前に{before}件。</translation>
    </message>
    <message>
        <source>Waiting: sends at {clock}.</source>
        <translation>待機中: {clock}に送信。</translation>
    </message>
    <message>
        <source>Waiting: it is sent automatically, {before} before it.</source>
        <translation>待機中: 自動的に送られます、前に{before}件。</translation>
    </message>
    <message>
        <source>Waiting: it is sent automatically.</source>
        <translation>待機中: 自動的に送られます。</translation>
    </message>
    <message>
        <source>{time} on {day}</source>
        <translation>{day} {time}</translation>
    </message>
    <message>
        <source>Waiting to be sent</source>
        <translation>送信待ち</translation>
    </message>
    <message>
        <source>Go to it</source>
        <translation>移動</translation>
    </message>
    <message>
        <source>Go to {about}</source>
        <translation>{about}へ移動</translation>
    </message>
    <message>
        <source>Send first</source>
        <translation>先に送信</translation>
    </message>
    <message>
        <source>Send first: {about}</source>
        <translation>先に送信: {about}</translation>
    </message>
    <message>
        <source>Cancel {about}</source>
        <translation>{about}を取り消す</translation>
    </message>
    <message>
        <source>Nothing waits.</source>
        <translation>待機中のものはありません。</translation>
    </message>
    <message numerus="yes">
        <source>{count} messages wait. What is cancelled is not sent; the question is kept.</source>
        <comment>{count} message waits. What is cancelled is not sent; the question is kept.</comment>
        <translation>
            <numerusform>{count}件のメッセージが待機中です。取り消したものは送られませんが、質問は残ります。</numerusform>
        </translation>
    </message>
    <message>
        <source>{problem} Nothing was kept.</source>
        <translation>{problem} 何も保存されていません。</translation>
    </message>
    <message>
        <source>{label} is kept. It cannot answer before it has a key.</source>
        <translation>{label}を保存しました。キーがないと回答できません。</translation>
    </message>
    <message>
        <source>{label} is connected.</source>
        <translation>{label}に接続しました。</translation>
    </message>
    <message>
        <source>{label} is connected. {model} answers.</source>
        <translation>{label}に接続しました。{model}が回答します。</translation>
    </message>
    <message>
        <source>Paste the key of a provider, or choose a server of your own. It is tested before it is kept.</source>
        <translation>プロバイダーのキーを貼り付けるか、自分のサーバーを選んでください。保存の前にテストされます。</translation>
    </message>
    <message>
        <source>All providers…</source>
        <translation>すべてのプロバイダー…</translation>
    </message>
    <message>
        <source>Provider</source>
        <translation>プロバイダー</translation>
    </message>
    <message>
        <source>Own server…</source>
        <translation>独自のサーバー…</translation>
    </message>
    <message>
        <source>Address of the server</source>
        <translation>サーバーのアドレス</translation>
    </message>
    <message>
        <source>Connect</source>
        <translation>接続</translation>
    </message>
    <message>
        <source>Save without a test</source>
        <translation>テストせずに保存</translation>
    </message>
    <message>
        <source>Found on this computer:</source>
        <translation>このコンピューターで検出:</translation>
    </message>
    <message>
        <source>Use {label}, {models}</source>
        <translation>{label}を使う、{models}</translation>
    </message>
    <message>
        <source>Found on this computer: {servers}</source>
        <translation>このコンピューターで検出: {servers}</translation>
    </message>
    <message>
        <source>Paste the key that {label} gave you.</source>
        <translation>{label}から受け取ったキーを貼り付けてください。</translation>
    </message>
    <message>
        <source>This is a key of {label}</source>
        <translation>これは{label}のキーです</translation>
    </message>
    <message>
        <source>First steps</source>
        <translation>最初のステップ</translation>
    </message>
    <message>
        <source>Take the tour</source>
        <translation>ツアーを見る</translation>
    </message>
    <message>
        <source>Welcome to ChatDesk</source>
        <translation>ChatDeskへようこそ</translation>
    </message>
    <message>
        <source>Connect a model to begin. Your chats stay on this computer.</source>
        <translation>モデルに接続して始めましょう。チャットはこのコンピューターに残ります。</translation>
    </message>
    <message>
        <source>More…</source>
        <translation>その他…</translation>
    </message>
    <message>
        <source>Connect a provider</source>
        <translation>プロバイダーに接続</translation>
    </message>
    <message>
        <source>Import your chats</source>
        <translation>チャットをインポート</translation>
    </message>
    <message>
        <source>Choose where they are now: the next page says how to get them out.</source>
        <translation>今ある場所を選んでください。取り出し方は次のページにあります。</translation>
    </message>
    <message>
        <source>Import from {program}</source>
        <translation>{program}からインポート</translation>
    </message>
    <message>
        <source>No account and no network: the demo model shows what ChatDesk can do.</source>
        <translation>アカウントもネットワークも不要です。デモモデルがChatDeskでできることを紹介します。</translation>
    </message>
    <message>
        <source>What can ChatDesk do?</source>
        <translation>ChatDeskで何ができますか？</translation>
    </message>
    <message>
        <source>The provider of this model is gone. Choose another model at the top.</source>
        <translation>このモデルのプロバイダーがなくなりました。上部で別のモデルを選んでください。</translation>
    </message>
    <message>
        <source>{label} has no key yet, so it cannot answer. Put it into Settings, Providers, or choose another model at the top.</source>
        <translation>{label}にはまだキーがないため回答できません。「設定」の「プロバイダー」で入力するか、上部で別のモデルを選んでください。</translation>
    </message>
    <message>
        <source>The demo model answers, without account or network. It shows what ChatDesk can do.</source>
        <translation>アカウントもネットワークもなしで、デモモデルが回答します。ChatDeskでできることを紹介します。</translation>
    </message>
    <message>
        <source>{who} answers. Choose another model at the top.</source>
        <translation>{who}が回答します。上部で別のモデルを選べます。</translation>
    </message>
    <message>
        <source>Text of the artifact</source>
        <translation>アーティファクトのテキスト</translation>
    </message>
    <message>
        <source>Ctrl+Enter saves a version, Esc leaves. Tab writes a tab.</source>
        <translation>Ctrl+Enterでバージョンを保存、Escで終了。Tabでタブを入力します。</translation>
    </message>
    <message numerus="yes">
        <source>{count} rows</source>
        <comment>{count} row</comment>
        <translation>
            <numerusform>{count}行</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} columns</source>
        <comment>{count} column</comment>
        <translation>
            <numerusform>{count}列</numerusform>
        </translation>
    </message>
    <message>
        <source>Ask for a change</source>
        <translation>変更を依頼</translation>
    </message>
    <message>
        <source>Save…</source>
        <translation>保存…</translation>
    </message>
    <message>
        <source>Show in the thread</source>
        <translation>スレッドで表示</translation>
    </message>
    <message>
        <source>Remove from the list</source>
        <translation>一覧から外す</translation>
    </message>
    <message>
        <source>All artifacts</source>
        <translation>すべてのアーティファクト</translation>
    </message>
    <message>
        <source>Previous version of the artifact</source>
        <translation>アーティファクトの前のバージョン</translation>
    </message>
    <message>
        <source>Next version of the artifact</source>
        <translation>アーティファクトの次のバージョン</translation>
    </message>
    <message>
        <source>Source</source>
        <translation>ソース</translation>
    </message>
    <message>
        <source>Differences</source>
        <translation>差分</translation>
    </message>
    <message>
        <source>Save as version</source>
        <translation>バージョンとして保存</translation>
    </message>
    <message>
        <source>{number} / {count}</source>
        <translation>{number} / {count}</translation>
    </message>
    <message>
        <source>Hide differences</source>
        <translation>差分を隠す</translation>
    </message>
    <message>
        <source>Hide the differences</source>
        <translation>差分を隠す</translation>
    </message>
    <message>
        <source>Show what changed since version {number}</source>
        <translation>バージョン{number}からの変更を表示</translation>
    </message>
    <message>
        <source>Drawn</source>
        <translation>描画</translation>
    </message>
    <message>
        <source>Show it drawn</source>
        <translation>描画して表示</translation>
    </message>
    <message>
        <source>Show its source</source>
        <translation>ソースを表示</translation>
    </message>
    <message>
        <source>{name}, version {number} of {count}</source>
        <translation>{name}、バージョン{number}/{count}</translation>
    </message>
    <message>
        <source>A temporary chat keeps no artifacts, because they are stored on disk. Keep the chat to open some.</source>
        <translation>アーティファクトはディスクに保存されるため、一時チャットでは保持されません。開くにはチャットを保存してください。</translation>
    </message>
    <message>
        <source>This thread has no artifacts yet. Files of its messages are listed here, and so is code that you open: code of 15 lines or more has “Open as artifact”, in its header and in the menu of its message.</source>
        <translation>このスレッドにはまだアーティファクトがありません。メッセージのファイルと、開いたコードがここに並びます。15行以上のコードには、ヘッダーとメッセージのメニューに「アーティファクトとして開く」があります。</translation>
    </message>
    <message>
        <source>Artifacts of this thread</source>
        <translation>このスレッドのアーティファクト</translation>
    </message>
    <message numerus="yes">
        <source>{count} versions</source>
        <comment>{count} version</comment>
        <translation>
            <numerusform>{count}個のバージョン</numerusform>
        </translation>
    </message>
    <message>
        <source>edited by you</source>
        <translation>自分が編集</translation>
    </message>
    <message>
        <source>proposed change to a file</source>
        <translation>ファイルへの変更案</translation>
    </message>
    <message>
        <source>from the tool {tool}</source>
        <translation>ツール{tool}より</translation>
    </message>
    <message>
        <source>attached to a question</source>
        <translation>質問に添付</translation>
    </message>
    <message>
        <source>from a question</source>
        <translation>質問より</translation>
    </message>
    <message>
        <source>from an answer</source>
        <translation>回答より</translation>
    </message>
    <message>
        <source>sent</source>
        <translation>送信</translation>
    </message>
    <message>
        <source>in the summary</source>
        <translation>要約に含む</translation>
    </message>
    <message>
        <source>excluded</source>
        <translation>除外</translation>
    </message>
    <message>
        <source>did not fit</source>
        <translation>収まらず</translation>
    </message>
    <message>
        <source>empty</source>
        <translation>空</translation>
    </message>
    <message>
        <source>user</source>
        <translation>ユーザー</translation>
    </message>
    <message>
        <source>assistant</source>
        <translation>アシスタント</translation>
    </message>
    <message>
        <source>system</source>
        <translation>システム</translation>
    </message>
    <message>
        <source>tool</source>
        <translation>ツール</translation>
    </message>
    <message>
        <source>before the start of the context</source>
        <translation>コンテキストの開始より前</translation>
    </message>
    <message>
        <source>What the model will see</source>
        <translation>モデルに渡される内容</translation>
    </message>
    <message>
        <source>What happens to each message</source>
        <translation>各メッセージの扱い</translation>
    </message>
    <message>
        <source>Pin</source>
        <translation>固定</translation>
    </message>
    <message>
        <source>Exclude</source>
        <translation>除外</translation>
    </message>
    <message>
        <source>Start here</source>
        <translation>ここから開始</translation>
    </message>
    <message>
        <source>Copy request as JSON</source>
        <translation>リクエストをJSONでコピー</translation>
    </message>
    <message>
        <source>Nothing yet: ask something.</source>
        <translation>まだ何もありません。質問してください。</translation>
    </message>
    <message>
        <source>Unpin</source>
        <translation>固定を解除</translation>
    </message>
    <message>
        <source>Include</source>
        <translation>含める</translation>
    </message>
    <message>
        <source>Start at the top</source>
        <translation>先頭から開始</translation>
    </message>
    <message>
        <source>(no text)</source>
        <translation>(本文なし)</translation>
    </message>
    <message>
        <source>{about}: {text}</source>
        <translation>{about}: {text}</translation>
    </message>
    <message>
        <source>about {used} of {window} tokens · {model}</source>
        <translation>{window}のうち約{used}トークン · {model}</translation>
    </message>
    <message>
        <source>{used} of {window} tokens · {model}</source>
        <translation>{window}のうち{used}トークン · {model}</translation>
    </message>
    <message>
        <source>pinned</source>
        <translation>固定</translation>
    </message>
    <message numerus="yes">
        <source>{count} did not fit</source>
        <comment>{count} did not fit</comment>
        <translation>
            <numerusform>{count}件が収まらず</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} excluded</source>
        <comment>{count} excluded</comment>
        <translation>
            <numerusform>{count}件を除外</numerusform>
        </translation>
    </message>
    <message>
        <source>older messages are left out from where you started</source>
        <translation>開始位置より古いメッセージは送られません</translation>
    </message>
    <message>
        <source>the summary is out of date and not sent</source>
        <translation>要約が古いため送られません</translation>
    </message>
    <message>
        <source>{part}: {tokens}</source>
        <translation>{part}: {tokens}</translation>
    </message>
    <message>
        <source>Memories</source>
        <translation>メモリー</translation>
    </message>
    <message numerus="yes">
        <source>Summary of {count} messages</source>
        <comment>Summary of {count} message</comment>
        <translation>
            <numerusform>{count}件のメッセージの要約</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Pinned · {count} messages</source>
        <comment>Pinned · {count} message</comment>
        <translation>
            <numerusform>固定 · {count}件のメッセージ</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Recent · {count} messages</source>
        <comment>Recent · {count} message</comment>
        <translation>
            <numerusform>最近 · {count}件のメッセージ</numerusform>
        </translation>
    </message>
    <message>
        <source>Your draft</source>
        <translation>下書き</translation>
    </message>
    <message>
        <source>Room for the answer</source>
        <translation>回答用の余地</translation>
    </message>
    <message>
        <source>Inspector</source>
        <translation>インスペクター</translation>
    </message>
    <message>
        <source>Inspector tabs</source>
        <translation>インスペクターのタブ</translation>
    </message>
    <message>
        <source>Close the inspector</source>
        <translation>インスペクターを閉じる</translation>
    </message>
    <message>
        <source>Filter the questions</source>
        <translation>質問を絞り込み</translation>
    </message>
    <message numerus="yes">
        <source>{count} questions</source>
        <comment>{count} question</comment>
        <translation>
            <numerusform>{count}件の質問</numerusform>
        </translation>
    </message>
    <message>
        <source>Reading the thread…</source>
        <translation>スレッドを読み込み中…</translation>
    </message>
    <message>
        <source>No question contains these words.</source>
        <translation>この言葉を含む質問はありません。</translation>
    </message>
    <message>
        <source>No question has been asked yet.</source>
        <translation>まだ質問がありません。</translation>
    </message>
    <message numerus="yes">
        <source>about {count} tokens</source>
        <comment>about {count} token</comment>
        <translation>
            <numerusform>約{count}トークン</numerusform>
        </translation>
    </message>
    <message>
        <source>one of its messages was edited</source>
        <translation>メッセージの1つが編集されました</translation>
    </message>
    <message>
        <source>one of its messages was deleted</source>
        <translation>メッセージの1つが削除されました</translation>
    </message>
    <message>
        <source>another version of one of its messages is shown</source>
        <translation>メッセージの1つで別のバージョンが表示されています</translation>
    </message>
    <message>
        <source>one of its messages was excluded</source>
        <translation>メッセージの1つが除外されました</translation>
    </message>
    <message>
        <source>Question</source>
        <translation>質問</translation>
    </message>
    <message>
        <source>Tool result</source>
        <translation>ツールの結果</translation>
    </message>
    <message>
        <source>Text of the summary</source>
        <translation>要約の本文</translation>
    </message>
    <message>
        <source>Kept word for word, a line each</source>
        <translation>原文のまま残すもの(1行に1つ)</translation>
    </message>
    <message>
        <source>Facts that are kept word for word, a line each</source>
        <translation>原文のまま残す事実(1行に1つ)</translation>
    </message>
    <message>
        <source>Summarise this thread</source>
        <translation>このスレッドを要約</translation>
    </message>
    <message>
        <source>Summarise threads of this project</source>
        <translation>このプロジェクトのスレッドを要約</translation>
    </message>
    <message>
        <source>Do not send</source>
        <translation>送らない</translation>
    </message>
    <message>
        <source>First source</source>
        <translation>最初の元メッセージ</translation>
    </message>
    <message>
        <source>Last source</source>
        <translation>最後の元メッセージ</translation>
    </message>
    <message>
        <source>There is no summary yet: it is made when the context fills.</source>
        <translation>まだ要約はありません。コンテキストがいっぱいになると作成されます。</translation>
    </message>
    <message>
        <source>Save the summary</source>
        <translation>要約を保存</translation>
    </message>
    <message>
        <source>Edit the summary</source>
        <translation>要約を編集</translation>
    </message>
    <message>
        <source>Send again</source>
        <translation>再び送る</translation>
    </message>
    <message numerus="yes">
        <source>Made from {count} messages</source>
        <comment>Made from {count} message</comment>
        <translation>
            <numerusform>{count}件のメッセージから作成</numerusform>
        </translation>
    </message>
    <message>
        <source>a model</source>
        <translation>モデル</translation>
    </message>
    <message numerus="yes">
        <source>Version {version}, by {who}, {when}: {count} messages in {tokens} tokens.</source>
        <comment>Version {version}, by {who}, {when}: {count} message in {tokens} tokens.</comment>
        <translation>
            <numerusform>バージョン{version}、{who}作成、{when}: {count}件のメッセージを{tokens}トークンに。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Making it took {count} tokens.</source>
        <comment>Making it took {count} token.</comment>
        <translation>
            <numerusform>作成に{count}トークンかかりました。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Making it took {count} tokens ({price}).</source>
        <comment>Making it took {count} token ({price}).</comment>
        <translation>
            <numerusform>作成に{count}トークン({price})かかりました。</numerusform>
        </translation>
    </message>
    <message>
        <source>Summaries are switched off in Settings, Context, for all threads.</source>
        <translation>要約は「設定」の「コンテキスト」ですべてのスレッドについてオフになっています。</translation>
    </message>
    <message>
        <source>No thread of this project is summarised.</source>
        <translation>このプロジェクトのスレッドは要約されません。</translation>
    </message>
    <message>
        <source>Today&apos;s limit for titles and summaries is reached. Summaries are made again tomorrow.</source>
        <translation>タイトルと要約の今日の上限に達しました。要約は明日再び作成されます。</translation>
    </message>
    <message>
        <source>Some of its messages are gone for good, so it is not sent.</source>
        <translation>メッセージの一部が完全に削除されたため、送られません。</translation>
    </message>
    <message>
        <source>It is not sent: you switched it off. Another one is made only when you redo it.</source>
        <translation>オフにしたため送られません。作り直したときにだけ新しいものが作成されます。</translation>
    </message>
    <message>
        <source>It is out of date and not sent: {why}. Redo it to have it sent again.</source>
        <translation>古いため送られません: {why}。再び送るには作り直してください。</translation>
    </message>
    <message>
        <source>It is out of date and not sent. Redo it to have it sent again.</source>
        <translation>古いため送られません。再び送るには作り直してください。</translation>
    </message>
    <message>
        <source>Messages that the summary is made from</source>
        <translation>要約の元になったメッセージ</translation>
    </message>
    <message>
        <source>All versions of this thread</source>
        <translation>このスレッドのすべてのバージョン</translation>
    </message>
    <message>
        <source>{what} of {model}</source>
        <translation>{model}の{what}</translation>
    </message>
    <message>
        <source>version {number} of {count}</source>
        <translation>バージョン{number}/{count}</translation>
    </message>
    <message>
        <source>removed for good</source>
        <translation>完全に削除済み</translation>
    </message>
    <message>
        <source>shown</source>
        <translation>表示中</translation>
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
        <translation>少なくとも{cost}</translation>
    </message>
    <message>
        <source>no price is known</source>
        <translation>価格不明</translation>
    </message>
    <message>
        <source>In</source>
        <translation>入力</translation>
    </message>
    <message>
        <source>Cached</source>
        <translation>キャッシュ</translation>
    </message>
    <message>
        <source>Of them from the provider&apos;s cache</source>
        <translation>うちプロバイダーのキャッシュから</translation>
    </message>
    <message>
        <source>Out</source>
        <translation>出力</translation>
    </message>
    <message>
        <source>Thought</source>
        <translation>思考</translation>
    </message>
    <message>
        <source>Of them for reasoning</source>
        <translation>うち推論用</translation>
    </message>
    <message>
        <source>Cost</source>
        <translation>費用</translation>
    </message>
    <message>
        <source>What this thread used</source>
        <translation>このスレッドの使用量</translation>
    </message>
    <message>
        <source>Add prices…</source>
        <translation>価格を追加…</translation>
    </message>
    <message>
        <source>Total</source>
        <translation>合計</translation>
    </message>
    <message>
        <source>{line}, {column}: {value}</source>
        <translation>{line}、{column}: {value}</translation>
    </message>
    <message>
        <source>Tokens and cost by kind of work and model</source>
        <translation>作業の種類とモデルごとのトークンと費用</translation>
    </message>
    <message numerus="yes">
        <source>{count} requests</source>
        <comment>{count} request</comment>
        <translation>
            <numerusform>{count}件のリクエスト</numerusform>
        </translation>
    </message>
    <message>
        <source>{tokens} in {requests}.</source>
        <translation>{requests}で{tokens}。</translation>
    </message>
    <message>
        <source>{tokens} in {requests}, {cost}.</source>
        <translation>{requests}で{tokens}、{cost}。</translation>
    </message>
    <message numerus="yes">
        <source>The tokens of {count} requests are estimates: the server did not count them.</source>
        <comment>The tokens of {count} request are estimates: the server did not count them.</comment>
        <translation>
            <numerusform>{count}件のリクエストのトークン数は推定値です。サーバーが数えませんでした。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens were stored in the provider&apos;s cache.</source>
        <comment>{count} token was stored in the provider&apos;s cache.</comment>
        <translation>
            <numerusform>{count}トークンがプロバイダーのキャッシュに保存されました。</numerusform>
        </translation>
    </message>
    <message>
        <source>No price is known for {models}. The cost leaves it out.</source>
        <translation>{models}の価格は不明です。費用に含まれていません。</translation>
    </message>
    <message>
        <source>{month} {year}</source>
        <translation>{year}年{month}</translation>
    </message>
    <message>
        <source>{day} {month}</source>
        <translation>{month}{day}日</translation>
    </message>
    <message>
        <source>{day} {month} {year}</source>
        <translation>{year}年{month}{day}日</translation>
    </message>
    <message>
        <source>{day}, {time}</source>
        <translation>{day} {time}</translation>
    </message>
    <message>
        <source>under {amount}</source>
        <translation>{amount}未満</translation>
    </message>
    <message>
        <source>${amount}</source>
        <translation>${amount}</translation>
    </message>
    <message>
        <source>in threads with a tag</source>
        <translation>タグの付いたスレッド内</translation>
    </message>
    <message>
        <source>written by you or by the model</source>
        <translation>自分またはモデルが書いたもの</translation>
    </message>
    <message>
        <source>answered by a model</source>
        <translation>モデルの回答</translation>
    </message>
    <message>
        <source>before a day: 2026-05-01, yesterday, 7d</source>
        <translation>ある日より前: 2026-05-01、yesterday、7d</translation>
    </message>
    <message>
        <source>from a day on: 2026-05-01, yesterday, 7d</source>
        <translation>ある日以降: 2026-05-01、yesterday、7d</translation>
    </message>
    <message>
        <source>with code, an image or a file</source>
        <translation>コード、画像、ファイルを含む</translation>
    </message>
    <message>
        <source>pinned, archived or trashed</source>
        <translation>ピン留め、アーカイブ、ゴミ箱</translation>
    </message>
    <message>
        <source>Narrow with project: tag: role: model: before: after: has: is: and leave out with -word. &gt; lists commands.</source>
        <translation>project: tag: role: model: before: after: has: is:で絞り込み、-単語で除外します。&gt;でコマンドを一覧表示します。</translation>
    </message>
    <message>
        <source>No command matches.</source>
        <translation>一致するコマンドはありません。</translation>
    </message>
    <message>
        <source>Filters</source>
        <translation>フィルター</translation>
    </message>
    <message>
        <source>Filter {filter}</source>
        <translation>フィルター{filter}</translation>
    </message>
    <message>
        <source>Commands</source>
        <translation>コマンド</translation>
    </message>
    <message>
        <source>Search everything</source>
        <translation>すべてを検索</translation>
    </message>
    <message>
        <source>Results are below: up and down choose, Tab goes to the next group</source>
        <translation>結果は下にあります。上下キーで選択、Tabで次のグループへ移動します</translation>
    </message>
    <message>
        <source>Search messages, threads, files and commands</source>
        <translation>メッセージ、スレッド、ファイル、コマンドを検索</translation>
    </message>
    <message>
        <source>Results</source>
        <translation>結果</translation>
    </message>
    <message>
        <source>{found}. First: {row}</source>
        <extracomment>Spoken after a search: how much was found, and the first result, which Enter opens.</extracomment>
        <translation>{found}。最初の結果: {row}</translation>
    </message>
    <message>
        <source>More messages…</source>
        <translation>メッセージをさらに表示…</translation>
    </message>
    <message>
        <source>More threads…</source>
        <translation>スレッドをさらに表示…</translation>
    </message>
    <message>
        <source>More projects…</source>
        <translation>プロジェクトをさらに表示…</translation>
    </message>
    <message>
        <source>More tags…</source>
        <translation>タグをさらに表示…</translation>
    </message>
    <message>
        <source>More files…</source>
        <translation>ファイルをさらに表示…</translation>
    </message>
    <message numerus="yes">
        <source>{count} tags</source>
        <comment>{count} tag</comment>
        <translation>
            <numerusform>{count}個のタグ</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} files</source>
        <comment>{count} file</comment>
        <translation>
            <numerusform>{count}個のファイル</numerusform>
        </translation>
    </message>
    <message>
        <source>Tool</source>
        <translation>ツール</translation>
    </message>
    <message>
        <source>Recent threads</source>
        <translation>最近のスレッド</translation>
    </message>
    <message>
        <source>more than {found}</source>
        <translation>{found}件以上</translation>
    </message>
    <message numerus="yes">
        <source>{count} commands</source>
        <comment>{count} command</comment>
        <translation>
            <numerusform>{count}件のコマンド</numerusform>
        </translation>
    </message>
    <message>
        <source>today</source>
        <translation>今日</translation>
    </message>
    <message>
        <source>yesterday</source>
        <translation>昨日</translation>
    </message>
    <message>
        <source>All results for “{query}”</source>
        <translation>「{query}」のすべての結果</translation>
    </message>
    <message>
        <source>archived</source>
        <translation>アーカイブ済み</translation>
    </message>
    <message>
        <source>another version</source>
        <translation>別のバージョン</translation>
    </message>
    <message>
        <source>{what}, in {thread}</source>
        <translation>{what}、{thread}</translation>
    </message>
    <message>
        <source>thread {name}</source>
        <translation>スレッド{name}</translation>
    </message>
    <message>
        <source>project {name}</source>
        <translation>プロジェクト{name}</translation>
    </message>
    <message>
        <source>tag {name}</source>
        <translation>タグ{name}</translation>
    </message>
    <message>
        <source>file {name}</source>
        <translation>ファイル{name}</translation>
    </message>
    <message numerus="yes">
        <source>more than {count} found in {took} ms</source>
        <comment>more than {count} found in {took} ms</comment>
        <translation>
            <numerusform>{took} msで{count}件以上見つかりました</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} found in {took} ms</source>
        <comment>{count} found in {took} ms</comment>
        <translation>
            <numerusform>{took} msで{count}件見つかりました</numerusform>
        </translation>
    </message>
    <message>
        <source>more than {count} found</source>
        <translation>{count}件以上見つかりました</translation>
    </message>
    <message numerus="yes">
        <source>{count} found</source>
        <comment>{count} found</comment>
        <translation>
            <numerusform>{count}件見つかりました</numerusform>
        </translation>
    </message>
    <message>
        <source>Opens the list of what waits</source>
        <translation>待機中のものの一覧を開きます</translation>
    </message>
    <message>
        <source>Temporary chat, not stored</source>
        <translation>一時チャット、保存なし</translation>
    </message>
    <message>
        <source>Opens the temporary chat</source>
        <translation>一時チャットを開きます</translation>
    </message>
    <message>
        <source>{title} (temporary: nothing is stored)</source>
        <translation>{title}(一時: 何も保存されません)</translation>
    </message>
    <message>
        <source>Sync</source>
        <translation>同期</translation>
    </message>
    <message>
        <source>Opens the details of sync</source>
        <translation>同期の詳細を開きます</translation>
    </message>
    <message numerus="yes">
        <source>{title}, project folder, {count} threads</source>
        <comment>{title}, project folder, {count} thread</comment>
        <translation>
            <numerusform>{title}、プロジェクトフォルダー、{count}件のスレッド</numerusform>
        </translation>
    </message>
    <message>
        <source>By name</source>
        <translation>名前順</translation>
    </message>
    <message>
        <source>Unknown time</source>
        <translation>不明な日時</translation>
    </message>
    <message>
        <source>Today</source>
        <translation>今日</translation>
    </message>
    <message>
        <source>Yesterday</source>
        <translation>昨日</translation>
    </message>
    <message>
        <source>Previous 7 days</source>
        <translation>過去7日間</translation>
    </message>
    <message>
        <source>Pinned</source>
        <comment>heading</comment>
        <translation>ピン留め</translation>
    </message>
    <message numerus="yes">
        <source>{count} days left</source>
        <comment>{count} day left</comment>
        <translation>
            <numerusform>あと{count}日</numerusform>
        </translation>
    </message>
    <message>
        <source>today {time}</source>
        <translation>今日 {time}</translation>
    </message>
    <message>
        <source>Load the list of threads again</source>
        <translation>スレッド一覧を再読み込み</translation>
    </message>
    <message>
        <source>Loading threads…</source>
        <translation>スレッドを読み込み中…</translation>
    </message>
    <message>
        <source>Trash</source>
        <translation>ゴミ箱</translation>
    </message>
    <message>
        <source>You can only read this project</source>
        <translation>このプロジェクトは閲覧のみできます</translation>
    </message>
    <message numerus="yes">
        <source>Mark {count} threads as read</source>
        <comment>Mark {count} thread as read</comment>
        <translation>
            <numerusform>{count}件のスレッドを既読にする</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Move {count} threads to a project…</source>
        <comment>Move {count} thread to a project…</comment>
        <translation>
            <numerusform>{count}件のスレッドをプロジェクトに移動…</numerusform>
        </translation>
    </message>
    <message>
        <source>Tags…</source>
        <translation>タグ…</translation>
    </message>
    <message numerus="yes">
        <source>Export {count} threads…</source>
        <comment>Export {count} thread…</comment>
        <translation>
            <numerusform>{count}件のスレッドをエクスポート…</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads</source>
        <comment>Delete {count} thread</comment>
        <translation>
            <numerusform>{count}件のスレッドを削除</numerusform>
        </translation>
    </message>
    <message>
        <source>Sort by last activity</source>
        <translation>最終更新順に並べ替え</translation>
    </message>
    <message>
        <source>Sort by name</source>
        <translation>名前順に並べ替え</translation>
    </message>
    <message>
        <source>Group by date</source>
        <translation>日付別にまとめる</translation>
    </message>
    <message>
        <source>Group by project</source>
        <translation>プロジェクト別にまとめる</translation>
    </message>
    <message>
        <source>Show one tag</source>
        <translation>1つのタグを表示</translation>
    </message>
    <message>
        <source>All threads</source>
        <translation>すべてのスレッド</translation>
    </message>
    <message>
        <source>Delete for good…</source>
        <translation>完全に削除…</translation>
    </message>
    <message numerus="yes">
        <source>Restore {count} threads</source>
        <comment>Restore {count} thread</comment>
        <translation>
            <numerusform>{count}件のスレッドを復元</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Delete {count} threads for good…</source>
        <comment>Delete {count} thread for good…</comment>
        <translation>
            <numerusform>{count}件のスレッドを完全に削除…</numerusform>
        </translation>
    </message>
    <message>
        <source>Unpin</source>
        <comment>thread</comment>
        <translation>ピン留めを外す</translation>
    </message>
    <message>
        <source>Pin</source>
        <comment>thread</comment>
        <translation>ピン留め</translation>
    </message>
    <message numerus="yes">
        <source>Unpin {count} threads</source>
        <comment>Unpin {count} thread</comment>
        <translation>
            <numerusform>{count}件のスレッドのピン留めを外す</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Pin {count} threads</source>
        <comment>Pin {count} thread</comment>
        <translation>
            <numerusform>{count}件のスレッドをピン留め</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Move {count} threads out of the archive</source>
        <comment>Move {count} thread out of the archive</comment>
        <translation>
            <numerusform>{count}件のスレッドのアーカイブを解除</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Archive {count} threads</source>
        <comment>Archive {count} thread</comment>
        <translation>
            <numerusform>{count}件のスレッドをアーカイブ</numerusform>
        </translation>
    </message>
    <message>
        <source>Project {name}, {shared}</source>
        <translation>プロジェクト{name}、{shared}</translation>
    </message>
    <message>
        <source>Opens the list of projects</source>
        <translation>プロジェクトの一覧を開きます</translation>
    </message>
    <message>
        <source>deleted {when}</source>
        <translation>{when}に削除</translation>
    </message>
    <message numerus="yes">
        <source>{count} unread</source>
        <comment>{count} unread</comment>
        <translation>
            <numerusform>未読{count}件</numerusform>
        </translation>
    </message>
    <message>
        <source>tagged {tags}</source>
        <translation>タグ{tags}</translation>
    </message>
    <message>
        <source>pinned</source>
        <comment>thread</comment>
        <translation>ピン留め</translation>
    </message>
    <message>
        <source>answer is being written</source>
        <translation>回答を書き込み中</translation>
    </message>
    <message>
        <source>Marked threads</source>
        <translation>選択したスレッド</translation>
    </message>
    <message>
        <source>Mark nothing</source>
        <translation>選択を解除</translation>
    </message>
    <message numerus="yes">
        <source>{count} marked</source>
        <comment>{count} marked</comment>
        <translation>
            <numerusform>{count}件を選択</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} threads are marked</source>
        <comment>{count} thread is marked</comment>
        <translation>
            <numerusform>{count}件のスレッドを選択しています</numerusform>
        </translation>
    </message>
    <message>
        <source>Sidebar</source>
        <translation>サイドバー</translation>
    </message>
    <message>
        <source>New thread (Ctrl+N)</source>
        <translation>新しいスレッド(Ctrl+N)</translation>
    </message>
    <message>
        <source>Settings (Ctrl+,)</source>
        <translation>設定(Ctrl+,)</translation>
    </message>
    <message>
        <source>Threads, archive or trash</source>
        <translation>スレッド、アーカイブ、ゴミ箱</translation>
    </message>
    <message>
        <source>Opening…</source>
        <translation>開いています…</translation>
    </message>
    <message>
        <source>Status: {text}</source>
        <translation>状態: {text}</translation>
    </message>
    <message>
        <source>{what}: {text}</source>
        <translation>{what}: {text}</translation>
    </message>
    <message>
        <source>Title of the thread</source>
        <translation>スレッドのタイトル</translation>
    </message>
    <message>
        <source>No thread here has the tag “{tag}”.</source>
        <translation>ここにタグ「{tag}」の付いたスレッドはありません。</translation>
    </message>
    <message>
        <source>Nothing is archived.</source>
        <translation>アーカイブしたものはありません。</translation>
    </message>
    <message numerus="yes">
        <source>No thread is in the trash. Deleted threads and messages stay here for {count} days.</source>
        <comment>No thread is in the trash. Deleted threads and messages stay here for {count} day.</comment>
        <translation>
            <numerusform>ゴミ箱にスレッドはありません。削除したスレッドとメッセージはここに{count}日間残ります。</numerusform>
        </translation>
    </message>
    <message>
        <source>No threads in this project yet. Type a question to begin the first.</source>
        <translation>このプロジェクトにはまだスレッドがありません。質問を入力して始めてください。</translation>
    </message>
    <message>
        <source>No threads yet. Type a question to begin the first.</source>
        <translation>まだスレッドがありません。質問を入力して始めてください。</translation>
    </message>
    <message>
        <source>{list} · back to threads</source>
        <translation>{list} · スレッドに戻る</translation>
    </message>
    <message>
        <source>{list} with “{tag}” · show all</source>
        <translation>「{tag}」の{list} · すべて表示</translation>
    </message>
    <message>
        <source>{name}. {remark}</source>
        <translation>{name}。{remark}</translation>
    </message>
    <message>
        <source>Image</source>
        <translation>画像</translation>
    </message>
    <message>
        <source>Diagram</source>
        <translation>図</translation>
    </message>
    <message>
        <source>Attached: {file}</source>
        <translation>添付: {file}</translation>
    </message>
    <message>
        <source>New messages begin here</source>
        <translation>ここから新しいメッセージ</translation>
    </message>
    <message>
        <source>Message tools</source>
        <translation>メッセージのツール</translation>
    </message>
    <message>
        <source>Formula {text}</source>
        <translation>数式{text}</translation>
    </message>
    <message>
        <source>Heading level {level}</source>
        <translation>見出しレベル{level}</translation>
    </message>
    <message>
        <source>List level {level}</source>
        <translation>リストレベル{level}</translation>
    </message>
    <message>
        <source>Not fetched, from {host}</source>
        <translation>{host}から未取得</translation>
    </message>
    <message>
        <source>{column}: {words}</source>
        <translation>{column}: {words}</translation>
    </message>
    <message>
        <source>Column {column}</source>
        <translation>列{column}</translation>
    </message>
    <message>
        <source>Row {number}, column {column}</source>
        <translation>行{number}、列{column}</translation>
    </message>
    <message>
        <source>Transcript</source>
        <translation>会話記録</translation>
    </message>
    <message>
        <source>The first {most_messages} messages were copied.</source>
        <translation>先頭の{most_messages}件のメッセージをコピーしました。</translation>
    </message>
    <message>
        <source>{weekday}, {moment} {zone}</source>
        <translation>{weekday} {moment} {zone}</translation>
    </message>
    <message>
        <source>{seconds} s</source>
        <translation>{seconds}秒</translation>
    </message>
    <message>
        <source>{minutes} min {seconds} s</source>
        <translation>{minutes}分{seconds}秒</translation>
    </message>
    <message>
        <source>It is not an image that can be shown.</source>
        <translation>表示できる画像ではありません。</translation>
    </message>
    <message>
        <source>It has too many pixels.</source>
        <translation>ピクセル数が多すぎます。</translation>
    </message>
    <message>
        <source>It is damaged or too large.</source>
        <translation>破損しているか、大きすぎます。</translation>
    </message>
    <message>
        <source>The file is not there.</source>
        <translation>ファイルがありません。</translation>
    </message>
    <message>
        <source>It is larger than {limit} MB.</source>
        <translation>{limit} MBを超えています。</translation>
    </message>
    <message>
        <source>The file cannot be read.</source>
        <translation>ファイルを読み込めません。</translation>
    </message>
    <message>
        <source>Column {name}: Left and Right choose another, with Shift they change its width, Enter fits all columns again</source>
        <translation>列{name}: 左右キーで別の列を選択、Shiftと一緒に押すと幅を変更、Enterですべての列を元の幅に合わせます</translation>
    </message>
    <message>
        <source>Previous match (Shift+Enter)</source>
        <translation>前の一致(Shift+Enter)</translation>
    </message>
    <message>
        <source>Next match (Enter)</source>
        <translation>次の一致(Enter)</translation>
    </message>
    <message>
        <source>Close (Esc)</source>
        <translation>閉じる(Esc)</translation>
    </message>
    <message>
        <source>{number} of {count}+</source>
        <translation>{number}/{count}+</translation>
    </message>
    <message>
        <source>{number} of {count}</source>
        <translation>{number}/{count}</translation>
    </message>
    <message>
        <source>{count}+ found</source>
        <translation>{count}件以上見つかりました</translation>
    </message>
    <message>
        <source>Match {place}</source>
        <translation>一致{place}</translation>
    </message>
    <message numerus="yes">
        <source>{count} found, match {place}</source>
        <comment>{count} found, match {place}</comment>
        <translation>
            <numerusform>{count}件見つかりました、一致{place}</numerusform>
        </translation>
    </message>
    <message>
        <source>{action}: {reason}</source>
        <translation>{action}: {reason}</translation>
    </message>
    <message>
        <source>New file</source>
        <translation>新しいファイル</translation>
    </message>
    <message>
        <source>Change to a file</source>
        <translation>ファイルの変更</translation>
    </message>
    <message>
        <source>Removal of a file</source>
        <translation>ファイルの削除</translation>
    </message>
    <message>
        <source>Proposed</source>
        <translation>提案中</translation>
    </message>
    <message>
        <source>Applied</source>
        <translation>適用済み</translation>
    </message>
    <message>
        <source>Rejected</source>
        <translation>却下済み</translation>
    </message>
    <message>
        <source>Outdated: the file was changed since</source>
        <translation>古い: その後ファイルが変更されました</translation>
    </message>
    <message>
        <source>Applied; the file was changed since</source>
        <translation>適用済み: その後ファイルが変更されました</translation>
    </message>
    <message>
        <source>The project has no such folder here</source>
        <translation>ここではプロジェクトにそのフォルダーがありません</translation>
    </message>
    <message>
        <source>Proposed elsewhere, so it cannot be applied here</source>
        <translation>別の場所での提案のため、ここでは適用できません</translation>
    </message>
    <message>
        <source>Edit the change to {file}</source>
        <translation>{file}への変更を編集</translation>
    </message>
    <message>
        <source>Apply…</source>
        <translation>適用…</translation>
    </message>
    <message>
        <source>Apply the change to {file}</source>
        <translation>{file}への変更を適用</translation>
    </message>
    <message>
        <source>Reject the change to {file}</source>
        <translation>{file}への変更を却下</translation>
    </message>
    <message>
        <source>Undo the change to {file}</source>
        <translation>{file}への変更を元に戻す</translation>
    </message>
    <message>
        <source>its beginning</source>
        <translation>冒頭</translation>
    </message>
    <message>
        <source>Do not wrap lines</source>
        <translation>行を折り返さない</translation>
    </message>
    <message>
        <source>Wrap lines</source>
        <translation>行を折り返す</translation>
    </message>
    <message>
        <source>Open this page in your browser</source>
        <translation>このページをブラウザーで開く</translation>
    </message>
    <message numerus="yes">
        <source>Show all {count} lines</source>
        <comment>Show the {count} line</comment>
        <translation>
            <numerusform>{count}行すべてを表示</numerusform>
        </translation>
    </message>
    <message>
        <source>Show fewer lines</source>
        <translation>行を減らして表示</translation>
    </message>
    <message>
        <source>Copy code</source>
        <translation>コードをコピー</translation>
    </message>
    <message>
        <source>Save code…</source>
        <translation>コードを保存…</translation>
    </message>
    <message>
        <source>Open code as artifact</source>
        <translation>コードをアーティファクトとして開く</translation>
    </message>
    <message>
        <source>Copy {language} code</source>
        <translation>{language}コードをコピー</translation>
    </message>
    <message>
        <source>Save {language} code…</source>
        <translation>{language}コードを保存…</translation>
    </message>
    <message>
        <source>Open {language} code as artifact</source>
        <translation>{language}コードをアーティファクトとして開く</translation>
    </message>
    <message>
        <source>Show picture</source>
        <translation>画像を表示</translation>
    </message>
    <message>
        <source>Show diagram</source>
        <translation>図を表示</translation>
    </message>
    <message>
        <source>Show source</source>
        <translation>ソースを表示</translation>
    </message>
    <message>
        <source>Markdown</source>
        <translation>Markdown</translation>
    </message>
    <message>
        <source>Document</source>
        <translation>文書</translation>
    </message>
    <message>
        <source>Slides</source>
        <translation>スライド</translation>
    </message>
    <message>
        <source>Book</source>
        <translation>書籍</translation>
    </message>
    <message>
        <source>Mail</source>
        <translation>メール</translation>
    </message>
    <message>
        <source>Archive</source>
        <comment>file</comment>
        <translation>圧縮ファイル</translation>
    </message>
    <message>
        <source>is being fetched from the team</source>
        <translation>チームから取得中</translation>
    </message>
    <message>
        <source>missing on the team&apos;s server; tried again later</source>
        <translation>チームのサーバーにありません。後で再試行します</translation>
    </message>
    <message>
        <source>not sent</source>
        <translation>送信されません</translation>
    </message>
    <message>
        <source>sent in part</source>
        <translation>一部を送信</translation>
    </message>
    <message>
        <source>Open {file}</source>
        <translation>{file}を開く</translation>
    </message>
    <message>
        <source>Save a copy of {file}</source>
        <translation>{file}のコピーを保存</translation>
    </message>
    <message>
        <source>Show in its folder: {file}</source>
        <translation>フォルダーで表示: {file}</translation>
    </message>
    <message>
        <source>Copy {file}</source>
        <translation>{file}をコピー</translation>
    </message>
    <message>
        <source>Open as artifact: {file}</source>
        <translation>アーティファクトとして開く: {file}</translation>
    </message>
    <message>
        <source>{format} file</source>
        <translation>{format}ファイル</translation>
    </message>
    <message>
        <source>Hide {name}</source>
        <translation>{name}を隠す</translation>
    </message>
    <message>
        <source>Show {name}</source>
        <translation>{name}を表示</translation>
    </message>
    <message>
        <source>asked by {name}</source>
        <translation>{name}が質問</translation>
    </message>
    <message>
        <source>Load image from {host}</source>
        <translation>{host}から画像を読み込む</translation>
    </message>
    <message>
        <source>Load image from {host} in your own network</source>
        <translation>自分のネットワーク内の{host}から画像を読み込む</translation>
    </message>
    <message>
        <source>Load it anyway</source>
        <translation>それでも読み込む</translation>
    </message>
    <message>
        <source>Load image</source>
        <translation>画像を読み込む</translation>
    </message>
    <message>
        <source>from {host}</source>
        <translation>{host}から</translation>
    </message>
    <message>
        <source>not shown</source>
        <translation>非表示</translation>
    </message>
    <message numerus="yes">
        <source>Summary of {count} messages ends here · out of date and not sent · Show</source>
        <comment>Summary of {count} message ends here · out of date and not sent · Show</comment>
        <translation>
            <numerusform>{count}件のメッセージの要約はここまで · 古いため送られません · 表示</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Show the summary of {count} messages, out of date and not sent</source>
        <comment>Show the summary of {count} message, out of date and not sent</comment>
        <translation>
            <numerusform>{count}件のメッセージの要約を表示(古いため送られません)</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Summarised up to here · {count} messages · Show</source>
        <comment>Summarised up to here · {count} message · Show</comment>
        <translation>
            <numerusform>ここまで要約済み · {count}件のメッセージ · 表示</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Show the summary of {count} messages up to here</source>
        <comment>Show the summary of {count} message up to here</comment>
        <translation>
            <numerusform>ここまでの{count}件のメッセージの要約を表示</numerusform>
        </translation>
    </message>
    <message>
        <source>Note, which the model sees</source>
        <translation>メモ(モデルに見える)</translation>
    </message>
    <message>
        <source>Note, pinned into the context</source>
        <translation>メモ(コンテキストに固定)</translation>
    </message>
    <message>
        <source>Note, not sent to the model</source>
        <translation>メモ(モデルに送られない)</translation>
    </message>
    <message>
        <source>Edited by {person}, pinned into the context</source>
        <translation>{person}が編集、コンテキストに固定</translation>
    </message>
    <message>
        <source>Edited by {person}, excluded from the context</source>
        <translation>{person}が編集、コンテキストから除外</translation>
    </message>
    <message>
        <source>Edited by {person}</source>
        <translation>{person}が編集</translation>
    </message>
    <message>
        <source>Wide formula: Left and Right move it</source>
        <translation>幅の広い数式: 左右キーで動かします</translation>
    </message>
    <message>
        <source>Trying again…</source>
        <translation>再試行中…</translation>
    </message>
    <message>
        <source>Trying again in {time} (attempt {attempt}).</source>
        <translation>{time}後に再試行します({attempt}回目)。</translation>
    </message>
    <message>
        <source>This picture is being fetched from the team.</source>
        <translation>この画像をチームから取得中です。</translation>
    </message>
    <message>
        <source>This picture is missing on the team&apos;s server. ChatDesk tries again later.</source>
        <translation>この画像はチームのサーバーにありません。ChatDeskが後で再試行します。</translation>
    </message>
    <message>
        <source>Copy table</source>
        <translation>表をコピー</translation>
    </message>
    <message numerus="yes">
        <source>Show all {count} rows</source>
        <comment>Show the {count} row</comment>
        <translation>
            <numerusform>{count}行すべてを表示</numerusform>
        </translation>
    </message>
    <message>
        <source>Show fewer rows</source>
        <translation>行を減らして表示</translation>
    </message>
    <message>
        <source>Waiting for {who}, {duration}</source>
        <translation>{who}を待っています、{duration}</translation>
    </message>
    <message numerus="yes">
        <source>{count} new messages</source>
        <comment>{count} new message</comment>
        <translation>
            <numerusform>{count}件の新しいメッセージ</numerusform>
        </translation>
    </message>
    <message>
        <source>Jump to newest</source>
        <translation>最新へ移動</translation>
    </message>
    <message>
        <source>Jump to newest, {new}</source>
        <translation>最新へ移動、{new}</translation>
    </message>
    <message>
        <source>This question has no answer.</source>
        <translation>この質問には回答がありません。</translation>
    </message>
    <message>
        <source>More</source>
        <translation>その他</translation>
    </message>
    <message>
        <source>{count} from cache</source>
        <translation>キャッシュから{count}</translation>
    </message>
    <message>
        <source>{count} cached</source>
        <translation>キャッシュ{count}</translation>
    </message>
    <message>
        <source>you can only read this project</source>
        <translation>このプロジェクトは閲覧のみできます</translation>
    </message>
    <message>
        <source>You</source>
        <translation>あなた</translation>
    </message>
    <message>
        <source>System</source>
        <translation>システム</translation>
    </message>
    <message>
        <source>{moment}, as the author&apos;s computer says; it came to the team {accepted}</source>
        <translation>作成者のコンピューターによると{moment}、チームに届いたのは{accepted}</translation>
    </message>
    <message>
        <source>version {number} of {count}, by {person}</source>
        <translation>バージョン{number}/{count}、{person}作成</translation>
    </message>
    <message>
        <source>{person} wrote this</source>
        <translation>{person}が書きました</translation>
    </message>
    <message>
        <source>Try now</source>
        <translation>今すぐ試す</translation>
    </message>
    <message>
        <source>Choose another model…</source>
        <translation>別のモデルを選択…</translation>
    </message>
    <message>
        <source>Choose a larger model…</source>
        <translation>より大きなモデルを選択…</translation>
    </message>
    <message>
        <source>Edit the message</source>
        <translation>メッセージを編集</translation>
    </message>
    <message>
        <source>Shorten</source>
        <translation>短くする</translation>
    </message>
    <message>
        <source>Change the key…</source>
        <translation>キーを変更…</translation>
    </message>
    <message>
        <source>Check the key…</source>
        <translation>キーを確認…</translation>
    </message>
    <message>
        <source>Open the provider…</source>
        <translation>プロバイダーを開く…</translation>
    </message>
    <message>
        <source>Choose a larger model</source>
        <translation>より大きなモデルを選択</translation>
    </message>
    <message>
        <source>Send without the image</source>
        <translation>画像なしで送信</translation>
    </message>
    <message>
        <source>Send as attachment excerpt</source>
        <translation>抜粋を添付して送信</translation>
    </message>
    <message>
        <source>Edit the system prompt</source>
        <translation>システムプロンプトを編集</translation>
    </message>
    <message>
        <source>Include it and ask</source>
        <translation>含めて質問</translation>
    </message>
    <message>
        <source>Send anyway once</source>
        <translation>今回だけ送信</translation>
    </message>
    <message>
        <source>Raise limit…</source>
        <translation>上限を上げる…</translation>
    </message>
    <message>
        <source>Something went wrong. Your message is kept.</source>
        <translation>問題が発生しました。メッセージは保存されています。</translation>
    </message>
    <message>
        <source>{person} stopped this answer.</source>
        <translation>{person}がこの回答を停止しました。</translation>
    </message>
    <message>
        <source>You stopped this answer.</source>
        <translation>この回答を停止しました。</translation>
    </message>
    <message>
        <source>The answer reached its maximum length.</source>
        <translation>回答が最大の長さに達しました。</translation>
    </message>
    <message>
        <source>ChatDesk of {person} was closed before this answer was complete. Everything that had arrived is kept.</source>
        <translation>この回答が完了する前に{person}のChatDeskが閉じられました。届いた分はすべて保存されています。</translation>
    </message>
    <message>
        <source>ChatDesk was closed before this answer was complete. Everything that had arrived is kept.</source>
        <translation>この回答が完了する前にChatDeskが閉じられました。届いた分はすべて保存されています。</translation>
    </message>
    <message numerus="yes">
        <source>ChatDesk was closed while {count} calls waited for your approval. Nothing was run.</source>
        <comment>ChatDesk was closed while {count} call waited for your approval. Nothing was run.</comment>
        <translation>
            <numerusform>{count}件の呼び出しが承認を待っている間にChatDeskが閉じられました。何も実行されていません。</numerusform>
        </translation>
    </message>
    <message>
        <source>Decide…</source>
        <translation>判断…</translation>
    </message>
    <message>
        <source>ChatDesk ended while {tool} ran. Nobody knows what it did, and it is not repeated unless you say so.</source>
        <translation>{tool}の実行中にChatDeskが終了しました。何が行われたかは不明で、指示がない限り繰り返されません。</translation>
    </message>
    <message numerus="yes">
        <source>ChatDesk ended while {count} calls ran. Nobody knows what it did, and it is not repeated unless you say so.</source>
        <comment>ChatDesk ended while {count} call ran. Nobody knows what it did, and it is not repeated unless you say so.</comment>
        <translation>
            <numerusform>{count}件の呼び出しの実行中にChatDeskが終了しました。何が行われたかは不明で、指示がない限り繰り返されません。</numerusform>
        </translation>
    </message>
    <message>
        <source>Run again…</source>
        <translation>再実行…</translation>
    </message>
    <message>
        <source>Try at {time}</source>
        <translation>{time}に試す</translation>
    </message>
    <message>
        <source>This text has more than 1 MB, so it is not formatted. Copy it to read it elsewhere.</source>
        <translation>このテキストは1 MBを超えているため、書式を付けずに表示しています。ほかで読むにはコピーしてください。</translation>
    </message>
    <message>
        <source>Thinking…</source>
        <translation>思考中…</translation>
    </message>
    <message>
        <source>Thought for {time}</source>
        <translation>思考時間{time}</translation>
    </message>
    <message>
        <source>It is on its way…</source>
        <translation>取得中…</translation>
    </message>
    <message>
        <source>{name}: {state}</source>
        <translation>{name}: {state}</translation>
    </message>
    <message>
        <source>under a second</source>
        <translation>1秒未満</translation>
    </message>
    <message>
        <source>pinned into the context</source>
        <translation>コンテキストに固定</translation>
    </message>
    <message>
        <source>excluded from the context</source>
        <translation>コンテキストから除外</translation>
    </message>
    <message numerus="yes">
        <source>{count} code blocks</source>
        <comment>{count} code block</comment>
        <translation>
            <numerusform>{count}個のコードブロック</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tables</source>
        <comment>{count} table</comment>
        <translation>
            <numerusform>{count}個の表</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} formulas</source>
        <comment>{count} formula</comment>
        <translation>
            <numerusform>{count}個の数式</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} images</source>
        <comment>{count} image</comment>
        <translation>
            <numerusform>{count}個の画像</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} diagrams</source>
        <comment>{count} diagram</comment>
        <translation>
            <numerusform>{count}個の図</numerusform>
        </translation>
    </message>
    <message>
        <source>bullet</source>
        <translation>箇条書き</translation>
    </message>
    <message>
        <source>not done</source>
        <translation>未完了</translation>
    </message>
    <message>
        <source>done</source>
        <translation>完了</translation>
    </message>
    <message>
        <source>definition</source>
        <translation>定義</translation>
    </message>
    <message>
        <source>edited by {person}</source>
        <translation>{person}が編集</translation>
    </message>
    <message>
        <source>asked by {person}</source>
        <translation>{person}が質問</translation>
    </message>
    <message>
        <source>message {number} of {count}</source>
        <translation>メッセージ{number}/{count}</translation>
    </message>
    <message>
        <source>note</source>
        <translation>メモ</translation>
    </message>
    <message>
        <source>part {number} of {count}</source>
        <translation>パート{number}/{count}</translation>
    </message>
    <message numerus="yes">
        <source>{count} lines</source>
        <comment>{count} line</comment>
        <translation>
            <numerusform>{count}行</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Table, {count} columns</source>
        <comment>Table, {count} column</comment>
        <translation>
            <numerusform>表、{count}列</numerusform>
        </translation>
    </message>
    <message>
        <source>{table}, rows {first} to {last} of {count}</source>
        <translation>{table}、{count}行中{first}から{last}行</translation>
    </message>
    <message>
        <source>Back to the text</source>
        <translation>本文に戻る</translation>
    </message>
    <message>
        <source>Footnote {number}</source>
        <translation>脚注{number}</translation>
    </message>
    <message>
        <source>{author} is answering</source>
        <translation>{author}が回答中です</translation>
    </message>
    <message>
        <source>{author} has answered</source>
        <translation>{author}が回答しました</translation>
    </message>
    <message>
        <source>The answer was stopped</source>
        <translation>回答を停止しました</translation>
    </message>
    <message>
        <source>The answer is not complete</source>
        <translation>回答は完了していません</translation>
    </message>
    <message>
        <source>Image, {alt}</source>
        <translation>画像、{alt}</translation>
    </message>
    <message>
        <source>day</source>
        <translation>日</translation>
    </message>
    <message>
        <source>week</source>
        <translation>週</translation>
    </message>
    <message>
        <source>month</source>
        <translation>月</translation>
    </message>
    <message>
        <source>model</source>
        <translation>モデル</translation>
    </message>
    <message>
        <source>project</source>
        <translation>プロジェクト</translation>
    </message>
    <message>
        <source>kind</source>
        <translation>種類</translation>
    </message>
    <message>
        <source>Chart of usage</source>
        <translation>使用量のグラフ</translation>
    </message>
    <message>
        <source>Chart of {measure} by {rows}</source>
        <translation>{rows}ごとの{measure}のグラフ</translation>
    </message>
    <message>
        <source>Arrow keys go from bar to bar; the table below has the same numbers.</source>
        <translation>矢印キーで棒の間を移動します。下の表に同じ数値があります。</translation>
    </message>
    <message>
        <source>{row}: {amount}</source>
        <translation>{row}: {amount}</translation>
    </message>
    <message>
        <source>No requests in these days.</source>
        <translation>この期間にリクエストはありません。</translation>
    </message>
    <message numerus="yes">
        <source>In all {amount} in {count} rows. The largest is {row} with {most}.</source>
        <comment>In all {amount} in {count} row. The largest is {row} with {most}.</comment>
        <translation>
            <numerusform>{count}行の合計{amount}。最大は{row}の{most}です。</numerusform>
        </translation>
    </message>
    <message>
        <source>no price known</source>
        <translation>価格不明</translation>
    </message>
    <message numerus="yes">
        <source>About {count} tokens in {requests}.</source>
        <comment>About {count} token in {requests}.</comment>
        <translation>
            <numerusform>{requests}で約{count}トークン。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} tokens in {requests}.</source>
        <comment>{count} token in {requests}.</comment>
        <translation>
            <numerusform>{requests}で{count}トークン。</numerusform>
        </translation>
    </message>
    <message>
        <source>Week of {day}</source>
        <translation>{day}の週</translation>
    </message>
    <message>
        <source>{weekday}, {day}</source>
        <translation>{day} {weekday}</translation>
    </message>
    <message>
        <source>cost</source>
        <translation>費用</translation>
    </message>
    <message>
        <source>Requests</source>
        <translation>リクエスト</translation>
    </message>
    <message>
        <source>requests</source>
        <translation>リクエスト</translation>
    </message>
    <message>
        <source>7 days</source>
        <translation>7日間</translation>
    </message>
    <message>
        <source>All</source>
        <translation>すべて</translation>
    </message>
    <message>
        <source>Own days</source>
        <translation>期間を指定</translation>
    </message>
    <message>
        <source>By day</source>
        <translation>日別</translation>
    </message>
    <message>
        <source>By model</source>
        <translation>モデル別</translation>
    </message>
    <message>
        <source>By project</source>
        <translation>プロジェクト別</translation>
    </message>
    <message>
        <source>By kind</source>
        <translation>種類別</translation>
    </message>
    <message>
        <source>Days</source>
        <comment>period</comment>
        <translation>期間</translation>
    </message>
    <message>
        <source>First day</source>
        <translation>開始日</translation>
    </message>
    <message>
        <source>Last day</source>
        <translation>終了日</translation>
    </message>
    <message>
        <source>What the bars show</source>
        <translation>棒が表すもの</translation>
    </message>
    <message>
        <source>Export CSV…</source>
        <translation>CSVをエクスポート…</translation>
    </message>
    <message>
        <source>Cost: {cost}.</source>
        <translation>費用: {cost}。</translation>
    </message>
    <message>
        <source>No price is known for these models.</source>
        <translation>これらのモデルの価格は不明です。</translation>
    </message>
    <message numerus="yes">
        <source>≈: the tokens of {count} requests are estimates.</source>
        <comment>≈: the tokens of {count} request are estimates.</comment>
        <translation>
            <numerusform>≈: {count}件のリクエストのトークン数は推定値です。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>No price is known for {count} requests; the cost leaves them out.</source>
        <comment>No price is known for {count} request; the cost leaves them out.</comment>
        <translation>
            <numerusform>{count}件のリクエストの価格は不明で、費用に含まれていません。</numerusform>
        </translation>
    </message>
    <message>
        <source>Tokens in</source>
        <translation>入力トークン</translation>
    </message>
    <message>
        <source>From cache</source>
        <translation>キャッシュから</translation>
    </message>
    <message>
        <source>Of them read from the provider&apos;s cache</source>
        <translation>うちプロバイダーのキャッシュから読み込み</translation>
    </message>
    <message>
        <source>Of them written to the provider&apos;s cache</source>
        <translation>うちプロバイダーのキャッシュに書き込み</translation>
    </message>
    <message>
        <source>Tokens out</source>
        <translation>出力トークン</translation>
    </message>
    <message>
        <source>Week</source>
        <translation>週</translation>
    </message>
    <message>
        <source>Month</source>
        <translation>月</translation>
    </message>
    <message>
        <source>Day</source>
        <translation>日</translation>
    </message>
    <message>
        <source>Kind</source>
        <translation>種類</translation>
    </message>
    <message>
        <source>Usage as a table</source>
        <translation>使用量の表</translation>
    </message>
    <message>
        <source>Close this notice</source>
        <translation>このお知らせを閉じる</translation>
    </message>
    <message>
        <source>{percent}%</source>
        <translation>{percent}%</translation>
    </message>
    <message>
        <source>nearly full</source>
        <translation>ほぼいっぱい</translation>
    </message>
    <message>
        <source>filling up</source>
        <translation>埋まりつつあります</translation>
    </message>
    <message>
        <source>Context used: {percentage}</source>
        <translation>コンテキストの使用率: {percentage}</translation>
    </message>
    <message>
        <source>Context of this thread</source>
        <translation>このスレッドのコンテキスト</translation>
    </message>
    <message>
        <source>How full the context is</source>
        <translation>コンテキストの埋まり具合</translation>
    </message>
    <message>
        <source>Show what is sent</source>
        <translation>送られる内容を表示</translation>
    </message>
    <message>
        <source>Explain a stack trace</source>
        <translation>スタックトレースを説明</translation>
    </message>
    <message>
        <source>Paste it; get the cause and the fix</source>
        <translation>貼り付けると、原因と直し方が分かります</translation>
    </message>
    <message>
        <source>Explain this error. What causes it, and how do I fix it?

</source>
        <translation>このエラーを説明してください。原因は何で、どう直せばよいですか？

</translation>
    </message>
    <message>
        <source>Summarise a document</source>
        <translation>文書を要約</translation>
    </message>
    <message>
        <source>Drop a PDF or a text file</source>
        <translation>PDFかテキストファイルをドロップ</translation>
    </message>
    <message>
        <source>Summarise this document: the main points first, then what is left open.</source>
        <translation>この文書を要約してください。まず要点を、次に未解決の点を挙げてください。</translation>
    </message>
    <message>
        <source>Make a comparison table</source>
        <translation>比較表を作成</translation>
    </message>
    <message>
        <source>Options against criteria</source>
        <translation>選択肢と基準</translation>
    </message>
    <message>
        <source>Compare these options in a table, by cost, effort and risk:
- </source>
        <translation>次の選択肢を、費用、手間、リスクの表で比較してください:
- </translation>
    </message>
    <message>
        <source>From a ChatGPT or Claude export</source>
        <translation>ChatGPTまたはClaudeのエクスポートから</translation>
    </message>
    <message>
        <source>What ChatDesk can do</source>
        <translation>ChatDeskでできること</translation>
    </message>
    <message>
        <source>See an answer</source>
        <translation>回答を見る</translation>
    </message>
    <message>
        <source>With code, a table and a formula</source>
        <translation>コード、表、数式付き</translation>
    </message>
    <message>
        <source>A key, or a server of your own</source>
        <translation>キー、または自分のサーバー</translation>
    </message>
    <message>
        <source>See what goes with it, and save it</source>
        <translation>含まれる内容を確認して保存</translation>
    </message>
    <message>
        <source>Nothing is changed</source>
        <translation>何も変更されません</translation>
    </message>
    <message>
        <source>See what is in it first</source>
        <translation>先に中身を確認</translation>
    </message>
    <message>
        <source>What are you working on?</source>
        <translation>今日は何に取り組みますか？</translation>
    </message>
    <message>
        <source>Your threads could not be opened</source>
        <translation>スレッドを開けませんでした</translation>
    </message>
    <message>
        <source>Opening your threads…</source>
        <translation>スレッドを開いています…</translation>
    </message>
    <message>
        <source>If you restore a backup, the database as it is now is kept.</source>
        <translation>バックアップを復元しても、現在のデータベースは保管されます。</translation>
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
        <translation>{first}が入力中…</translation>
    </message>
    <message>
        <source>{first} and {second} are typing…</source>
        <translation>{first}と{second}が入力中…</translation>
    </message>
    <message numerus="yes">
        <source>{count} people are typing…</source>
        <comment>{count} person is typing…</comment>
        <translation>
            <numerusform>{count}人が入力中…</numerusform>
        </translation>
    </message>
    <message>
        <source>Here now: {names}</source>
        <translation>接続中: {names}</translation>
    </message>
    <message>
        <source>Temporary</source>
        <translation>一時</translation>
    </message>
    <message>
        <source>Nothing of this chat is stored. It is gone when ChatDesk closes, unless you keep it.</source>
        <translation>このチャットは何も保存されません。保存しない限り、ChatDeskを閉じると消えます。</translation>
    </message>
    <message>
        <source>Store this chat with all its messages</source>
        <translation>このチャットをすべてのメッセージとともに保存します</translation>
    </message>
    <message>
        <source>Keep this chat</source>
        <translation>このチャットを保存</translation>
    </message>
    <message>
        <source>Temporary. {meaning}</source>
        <translation>一時。{meaning}</translation>
    </message>
    <message>
        <source>Thread header</source>
        <translation>スレッドのヘッダー</translation>
    </message>
    <message>
        <source>Show the sidebar</source>
        <translation>サイドバーを表示</translation>
    </message>
    <message>
        <source>Questions of this thread</source>
        <translation>このスレッドの質問</translation>
    </message>
    <message>
        <source>More about this thread</source>
        <translation>このスレッドのその他の操作</translation>
    </message>
    <message>
        <source>Close this chat</source>
        <translation>このチャットを閉じる</translation>
    </message>
    <message>
        <source>Thread title</source>
        <translation>スレッドのタイトル</translation>
    </message>
    <message>
        <source>Paste your API key</source>
        <translation>APIキーを貼り付け</translation>
    </message>
    <message>
        <source>Show the key</source>
        <translation>キーを表示</translation>
    </message>
    <message>
        <source>Hide the key</source>
        <translation>キーを隠す</translation>
    </message>
    <message>
        <source>Opens {url} in the browser.</source>
        <translation>ブラウザーで{url}を開きます。</translation>
    </message>
    <message>
        <source>{others} and {last}</source>
        <translation>{others}と{last}</translation>
    </message>
    <message>
        <source>, </source>
        <translation>、</translation>
    </message>
    <message>
        <source>Choose a model</source>
        <translation>モデルを選択</translation>
    </message>
    <message>
        <source>Up and Down move, Enter chooses, Ctrl+D marks a favourite.</source>
        <translation>上下キーで移動、Enterで選択、Ctrl+Dでお気に入りにします。</translation>
    </message>
    <message>
        <source>Fetch the lists of models again</source>
        <translation>モデルの一覧を再取得</translation>
    </message>
    <message>
        <source>Add provider…</source>
        <translation>プロバイダーを追加…</translation>
    </message>
    <message>
        <source>No model matches.</source>
        <translation>一致するモデルはありません。</translation>
    </message>
    <message>
        <source>There is no model yet. Add a provider.</source>
        <translation>まだモデルがありません。プロバイダーを追加してください。</translation>
    </message>
    <message>
        <source>Marked as a favourite</source>
        <translation>お気に入りにしました</translation>
    </message>
    <message>
        <source>No longer a favourite</source>
        <translation>お気に入りから外しました</translation>
    </message>
    <message>
        <source>Model: {text}</source>
        <translation>モデル: {text}</translation>
    </message>
    <message>
        <source>{text}: choose another model</source>
        <translation>{text}: 別のモデルを選択</translation>
    </message>
    <message>
        <source>Favourites</source>
        <translation>お気に入り</translation>
    </message>
    <message>
        <source>favourite</source>
        <translation>お気に入り</translation>
    </message>
    <message>
        <source>chosen</source>
        <translation>選択中</translation>
    </message>
    <message>
        <source>Find a project</source>
        <translation>プロジェクトを検索</translation>
    </message>
    <message>
        <source>open</source>
        <translation>開いています</translation>
    </message>
    <message>
        <source>No project matches.</source>
        <translation>一致するプロジェクトはありません。</translation>
    </message>
    <message>
        <source>Clear the search</source>
        <translation>検索をクリア</translation>
    </message>
    <message>
        <source>Border between the two chats</source>
        <translation>2つのチャットの境界</translation>
    </message>
    <message>
        <source>Chat at the left</source>
        <translation>左のチャット</translation>
    </message>
    <message>
        <source>Chat at the right</source>
        <translation>右のチャット</translation>
    </message>
    <message>
        <source>Active: commands act here</source>
        <translation>アクティブ: コマンドはここに作用します</translation>
    </message>
    <message>
        <source>Chats of this window</source>
        <translation>このウィンドウのチャット</translation>
    </message>
    <message>
        <source>Menu bar</source>
        <translation>メニューバー</translation>
    </message>
    <message>
        <source>Show the menu bar</source>
        <translation>メニューバーを表示</translation>
    </message>
    <message>
        <source>Hide the menu bar</source>
        <translation>メニューバーを隠す</translation>
    </message>
    <message>
        <source>Hide the sidebar</source>
        <translation>サイドバーを隠す</translation>
    </message>
    <message>
        <source>The sidebar is shown</source>
        <translation>サイドバーを表示しています</translation>
    </message>
    <message>
        <source>The sidebar is hidden</source>
        <translation>サイドバーを隠しています</translation>
    </message>
    <message>
        <source>{title} – ChatDesk</source>
        <translation>{title} – ChatDesk</translation>
    </message>
    <message>
        <source>usage: </source>
        <translation>使い方: </translation>
    </message>
    <message>
        <source>positional arguments</source>
        <translation>引数</translation>
    </message>
    <message>
        <source>options</source>
        <translation>オプション</translation>
    </message>
    <message>
        <source>show this help message and exit</source>
        <translation>このヘルプを表示して終了</translation>
    </message>
    <message>
        <source>show program&apos;s version number and exit</source>
        <translation>プログラムのバージョンを表示して終了</translation>
    </message>
    <message>
        <source>%(prog)s: error: %(message)s
</source>
        <translation>%(prog)s: エラー: %(message)s
</translation>
    </message>
    <message>
        <source>argument %(argument_name)s: %(message)s</source>
        <translation>引数%(argument_name)s: %(message)s</translation>
    </message>
    <message>
        <source>the following arguments are required: %s</source>
        <translation>次の引数が必要です: %s</translation>
    </message>
    <message>
        <source>one of the arguments %s is required</source>
        <translation>次の引数のどれかが必要です: %s</translation>
    </message>
    <message>
        <source>expected one argument</source>
        <translation>値が1つ必要です</translation>
    </message>
    <message>
        <source>expected at most one argument</source>
        <translation>値は1つまでです</translation>
    </message>
    <message>
        <source>expected at least one argument</source>
        <translation>値が1つ以上必要です</translation>
    </message>
    <message>
        <source>invalid choice: %(value)r (choose from %(choices)s)</source>
        <translation>無効な選択肢です: %(value)r（選択肢は%(choices)s）</translation>
    </message>
    <message>
        <source>invalid %(type)s value: %(value)r</source>
        <translation>無効な値です（%(type)s）: %(value)r</translation>
    </message>
    <message>
        <source>unrecognized arguments: %s</source>
        <translation>認識できない引数です: %s</translation>
    </message>
    <message>
        <source>not allowed with argument %s</source>
        <translation>引数%sと同時には使えません</translation>
    </message>
    <message>
        <source>ambiguous option: %(option)s could match %(matches)s</source>
        <translation>オプションがあいまいです: %(option)sは%(matches)sのどれにも当てはまります</translation>
    </message>
    <message>
        <source>ignored explicit argument %r</source>
        <translation>余分な値です: %r</translation>
    </message>
    <message numerus="yes">
        <source>expected %s arguments</source>
        <comment>expected %s argument</comment>
        <translation>
            <numerusform>値が%s個必要です</numerusform>
        </translation>
    </message>
    <message>
        <source>invited</source>
        <translation>招待中</translation>
    </message>
    <message>
        <source>active</source>
        <translation>有効</translation>
    </message>
    <message>
        <source>removed</source>
        <translation>外しました</translation>
    </message>
    <message>
        <source>warning</source>
        <translation>警告</translation>
    </message>
    <message>
        <source>Recovered messages</source>
        <translation>復旧されたメッセージ</translation>
    </message>
    <message>
        <source>Not taken by the team</source>
        <translation>チームに受け付けられなかったもの</translation>
    </message>
    <message>
        <source>{title} (branch)</source>
        <translation>{title}（ブランチ）</translation>
    </message>
    <message>
        <source>Server at port {port}</source>
        <translation>ポート{port}のサーバー</translation>
    </message>
    <message>
        <source>It answers</source>
        <translation>応答します</translation>
    </message>
    <message>
        <source>Lets ChatDesk search</source>
        <translation>ChatDeskに検索を許可します</translation>
    </message>
    <message>
        <source>Finds pages</source>
        <translation>ページが見つかります</translation>
    </message>
    <message>
        <source>New</source>
        <comment>messages</comment>
        <translation>新着</translation>
    </message>
    <message>
        <source>Works</source>
        <translation>正常</translation>
    </message>
    <message>
        <source>Does not work</source>
        <translation>異常</translation>
    </message>
    <message>
        <source>{who} offers no embeddings.</source>
        <translation>{who}は埋め込み(embeddings)を提供していません。</translation>
    </message>
    <message>
        <source>The counters of thread {thread} are wrong.</source>
        <translation>スレッド{thread}のカウンターが誤っています。</translation>
    </message>
    <message>
        <source>The last shown message of thread {thread} is wrong.</source>
        <translation>スレッド{thread}で最後に表示するメッセージが誤っています。</translation>
    </message>
    <message>
        <source>The attached file {name} is missing.</source>
        <translation>添付ファイル{name}がありません。</translation>
    </message>
    <message>
        <source>The attached file {name} is not what was saved.</source>
        <translation>添付ファイル{name}は保存したものと異なります。</translation>
    </message>
    <message>
        <source>The attached file {name} is a link to another file.</source>
        <translation>添付ファイル{name}は別のファイルへのリンクです。</translation>
    </message>
    <message>
        <source>The attached file {name} cannot be read.</source>
        <translation>添付ファイル{name}を読み取れません。</translation>
    </message>
    <message>
        <source>SQLite reports: {report}.</source>
        <translation>SQLiteの報告: {report}。</translation>
    </message>
    <message>
        <source>A row of {table} points to a missing row of {missing}.</source>
        <translation>{table}の行が、存在しない{missing}の行を参照しています。</translation>
    </message>
    <message>
        <source>The text of message {message} is not what was saved.</source>
        <translation>メッセージ{message}の文章は保存したものと異なります。</translation>
    </message>
    <message>
        <source>This question is no longer waiting.</source>
        <translation>この質問はもう待機していません。</translation>
    </message>
    <message>
        <source>It did not arrive completely.</source>
        <translation>全体が届きませんでした。</translation>
    </message>
    <message>
        <source>This provider no longer exists.</source>
        <translation>そのプロバイダーはもうありません。</translation>
    </message>
    <message>
        <source>This answer is no longer waiting.</source>
        <translation>この回答はもう待機していません。</translation>
    </message>
    <message>
        <source>This file contains more messages than can be read at once.</source>
        <translation>このファイルには一度に読み込める数を超えるメッセージがあります。</translation>
    </message>
    <message>
        <source>ChatDesk keeps running in the tray. To end it, choose Quit there or in the menu.</source>
        <translation>ChatDeskはトレイで動き続けます。終えるには、トレイかメニューで「終了」を選んでください。</translation>
    </message>
    <message>
        <source>unknown time</source>
        <translation>不明な日時</translation>
    </message>
    <message>
        <source>The proxy that the system names cannot be used: {proxy}. Name an HTTP proxy there.</source>
        <translation>システムが指定するプロキシは使用できません：{proxy}。HTTP プロキシを指定してください。</translation>
    </message>
    <message>
        <source>The proxy wants a user name and a password: {proxy}. Nothing was sent.</source>
        <translation>プロキシがユーザー名とパスワードを求めています: {proxy}。何も送信していません。</translation>
    </message>
    <message>
        <source>Write them into its address, as in http://name:password@proxy:3128.</source>
        <translation>http://name:password@proxy:3128のように、プロキシのアドレスに書いてください。</translation>
    </message>
    <message>
        <source>The proxy let nothing through ({answer}): {proxy}.</source>
        <translation>プロキシが通信を通しませんでした ({answer}): {proxy}。</translation>
    </message>
    <message>
        <source>Ask who runs it, or set the proxy of this provider in Settings, Providers.</source>
        <translation>プロキシの管理者に尋ねるか、設定の「プロバイダー」でこのプロバイダーのプロキシを設定してください。</translation>
    </message>
    <message>
        <source>The proxy could not be reached: {proxy}. Nothing was sent.</source>
        <translation>プロキシに接続できませんでした: {proxy}。何も送信していません。</translation>
    </message>
    <message>
        <source>Check the proxy, or set the proxy of this provider in Settings, Providers.</source>
        <translation>プロキシを確認するか、設定の「プロバイダー」でこのプロバイダーのプロキシを設定してください。</translation>
    </message>
    <message>
        <source>Upgrading a copy of the database…</source>
        <translation>データベースのコピーをアップグレードしています…</translation>
    </message>
    <message>
        <source>The row {row} of {table} has values that cannot be: {columns}.</source>
        <translation>{table}の行{row}にあり得ない値があります: {columns}。</translation>
    </message>
    <message numerus="yes">
        <source>{count} values of {table} were replaced.</source>
        <comment>{count} value of {table} was replaced.</comment>
        <translation>
            <numerusform>{table}の値を{count}件置き換えました。</numerusform>
        </translation>
    </message>
    <message>
        <source>{path} is not a file.</source>
        <translation>{path}はファイルではありません。</translation>
    </message>
    <message>
        <source>{path} cannot be read ({reason}).</source>
        <translation>{path}を読み取れません({reason})。</translation>
    </message>
    <message>
        <source>{path} is damaged.</source>
        <translation>{path}は破損しています。</translation>
    </message>
    <message>
        <source>own files</source>
        <translation>自分のファイル</translation>
    </message>
    <message>
        <source>ChatDesk goes on without it.</source>
        <translation>ChatDeskはこれなしで続行します。</translation>
    </message>
    <message>
        <source>Damaged files were kept in {directory} as {names}. Remove them when you no longer need them.</source>
        <translation>破損したファイルは{directory}に{names}として残されています。不要になったら取り除いてください。</translation>
    </message>
    <message>
        <source>file of {subject}</source>
        <translation>ファイル ({subject})</translation>
    </message>
    <message>
        <source>Empty or damaged, so that they count as no backups: {names}.</source>
        <translation>空または壊れているため、バックアップとして数えません: {names}。</translation>
    </message>
    <message>
        <source>Remove them from {directory}.</source>
        <translation>{directory}から削除してください。</translation>
    </message>
    <message>
        <source>backups</source>
        <translation>バックアップ</translation>
    </message>
    <message>
        <source>import</source>
        <translation>インポート</translation>
    </message>
    <message>
        <source>choose the model</source>
        <translation>モデルの選択</translation>
    </message>
    <message>
        <source>attach a file</source>
        <translation>ファイルの添付</translation>
    </message>
    <message>
        <source>These braces are not closed. Write }} after the name, or a backslash before mere braces.</source>
        <translation>この波括弧が閉じていません。名前の後に}}を書くか、ただの波括弧なら前に\を付けてください。</translation>
    </message>
    <message>
        <source>A variable needs a name between its braces.</source>
        <translation>変数には波括弧の中に名前が必要です。</translation>
    </message>
    <message>
        <source>A name begins with a letter and has letters, digits, spaces, - and _ only. It is inserted as it is written.</source>
        <translation>名前は文字で始まり、文字、数字、空白、-、_だけを使えます。書かれたとおりに挿入されます。</translation>
    </message>
    <message>
        <source>Line {line}, column {column}: {problem}</source>
        <translation>{line}行{column}桁: {problem}</translation>
    </message>
    <message>
        <source>{variable} has {count} characters; the first {kept} were inserted.</source>
        <translation>{variable}は{count}文字あります。最初の{kept}文字が挿入されました。</translation>
    </message>
    <message>
        <source>The text was cut after {count} characters.</source>
        <translation>テキストは{count}文字で切られました。</translation>
    </message>
    <message>
        <source>A name has at most {count} characters. It is inserted as it is written.</source>
        <translation>名前は最大{count}文字です。書かれたとおりに挿入されます。</translation>
    </message>
    <message>
        <source>{variable} means nothing in a system prompt.</source>
        <translation>{variable}はシステムプロンプトでは意味を持ちません。</translation>
    </message>
    <message>
        <source>{variable} takes nothing after its name, so this is inserted as it is written.</source>
        <translation>{variable}は名前の後に何も取れないため、書かれたとおりに挿入されます。</translation>
    </message>
    <message>
        <source>This format is not known. Use parts as in {example}, or {variable} alone. It is inserted as it is written.</source>
        <translation>この形式は使えません。{example}のように書くか、{variable}だけにしてください。書かれたとおりに挿入されます。</translation>
    </message>
    <message>
        <source>{variable} is not known in a system prompt.</source>
        <translation>{variable}はシステムプロンプトでは使えません。</translation>
    </message>
    <message>
        <source>Write 1 to {count} choices, such as {example}.</source>
        <translation>選択肢を1個から{count}個まで書いてください。例: {example}。</translation>
    </message>
    <message>
        <source>A template has at most {count} fields. This one stays as it is written.</source>
        <translation>テンプレートの入力欄は最大{count}個です。これは書かれたとおりに残ります。</translation>
    </message>
    <message>
        <source>{variable} is asked for as a field.</source>
        <translation>{variable}は入力欄として尋ねられます。</translation>
    </message>
    <message>
        <source>Did you mean {variable}?</source>
        <translation>{variable}のことですか？</translation>
    </message>
    <message>
        <source>Only {names} are known there; this is sent as it is written.</source>
        <translation>使えるのは{names}だけで、これは書かれたとおりに送られます。</translation>
    </message>
    <message>
        <source>The model gave an empty summary.</source>
        <translation>モデルの要約は空でした。</translation>
    </message>
    <message>
        <source>The model gave a summary that says nothing.</source>
        <translation>モデルの要約は意味をなしていません。</translation>
    </message>
    <message>
        <source>The model refused to summarise.</source>
        <translation>モデルが要約を拒否しました。</translation>
    </message>
    <message>
        <source>The model gave a summary that is longer than the messages.</source>
        <translation>モデルの要約がメッセージより長くなっています。</translation>
    </message>
    <message>
        <source>The model did not finish its summary.</source>
        <translation>モデルは要約を最後まで書きませんでした。</translation>
    </message>
    <message>
        <source>This link cannot be opened: it names neither a thread nor an invitation.</source>
        <translation>このリンクは開けません。スレッドも招待も示していません。</translation>
    </message>
    <message>
        <source>Ask the person who gave it to you to copy it again.</source>
        <translation>渡してくれた人に、もう一度コピーしてもらってください。</translation>
    </message>
    <message>
        <source>Details</source>
        <translation>詳細</translation>
    </message>
    <message>
        <source>{kilobytes} KB, damaged or too large</source>
        <translation>{kilobytes} KB、破損しているか大きすぎます</translation>
    </message>
    <message>
        <source>too large for a table</source>
        <translation>表にするには大きすぎます</translation>
    </message>
    <message>
        <source>Note</source>
        <comment>callout</comment>
        <translation>メモ</translation>
    </message>
    <message>
        <source>Tip</source>
        <comment>callout</comment>
        <translation>ヒント</translation>
    </message>
    <message>
        <source>Important</source>
        <comment>callout</comment>
        <translation>重要</translation>
    </message>
    <message>
        <source>Warning</source>
        <comment>callout</comment>
        <translation>警告</translation>
    </message>
    <message>
        <source>Caution</source>
        <comment>callout</comment>
        <translation>注意</translation>
    </message>
    <message>
        <source>This diagram could not be drawn</source>
        <translation>この図を描画できませんでした</translation>
    </message>
    <message>
        <source>Diagrams cannot be drawn on this computer</source>
        <translation>このコンピューターでは図を描画できません</translation>
    </message>
    <message>
        <source>This picture could not be drawn</source>
        <translation>この画像を描画できませんでした</translation>
    </message>
    <message>
        <source>Erased project</source>
        <translation>消去されたプロジェクト</translation>
    </message>
    <message>
        <source>Shared project</source>
        <translation>共有プロジェクト</translation>
    </message>
    <message>
        <source>The team&apos;s database reports: {reason}</source>
        <translation>チームのデータベースからの報告: {reason}</translation>
    </message>
    <message>
        <source>This file of the project&apos;s folder cannot be used.</source>
        <translation>プロジェクトのフォルダーにあるこのファイルは使えません。</translation>
    </message>
    <message>
        <source>This path is too long, or has characters that cannot be seen.</source>
        <translation>このパスは長すぎるか、見えない文字を含んでいます。</translation>
    </message>
    <message>
        <source>Paths begin at the project&apos;s folder: “src/main.py”, for example.</source>
        <translation>パスはプロジェクトのフォルダーから始まります。例:「src/main.py」。</translation>
    </message>
    <message>
        <source>A path cannot lead out of the project&apos;s folder.</source>
        <translation>パスはプロジェクトのフォルダーの外を指せません。</translation>
    </message>
    <message>
        <source>This path is too deep.</source>
        <translation>このパスは深すぎます。</translation>
    </message>
    <message>
        <source>“{name}” usually holds secrets, or is managed by a program, so no tool may use it.</source>
        <translation>「{name}」は通常シークレットを含むか、プログラムが管理しているため、どのツールも使えません。</translation>
    </message>
    <message>
        <source>The project&apos;s folder cannot be opened, or there is a link on the way to it.</source>
        <translation>プロジェクトのフォルダーを開けないか、途中にリンクがあります。</translation>
    </message>
    <message>
        <source>Choose it again in the project&apos;s dialog.</source>
        <translation>プロジェクトのダイアログで選び直してください。</translation>
    </message>
    <message>
        <source>“{name}” is not a file but a folder, a link or a device. Links are not followed.</source>
        <translation>「{name}」はファイルではなく、フォルダー、リンク、またはデバイスです。リンクはたどりません。</translation>
    </message>
    <message>
        <source>“{name}” is not a file but a folder, a link or a device.</source>
        <translation>「{name}」はファイルではなく、フォルダー、リンク、またはデバイスです。</translation>
    </message>
    <message>
        <source>“{name}” is no longer a file.</source>
        <translation>「{name}」はもうファイルではありません。</translation>
    </message>
    <message>
        <source>“{name}” has a second name (a hard link), perhaps outside of the project&apos;s folder.</source>
        <translation>「{name}」には別の名前(ハードリンク)があり、プロジェクトのフォルダーの外にある可能性があります。</translation>
    </message>
    <message>
        <source>Copy it if tools are to use it.</source>
        <translation>ツールで使うにはコピーしてください。</translation>
    </message>
    <message>
        <source>“{name}” is too large; the limit is {most}.</source>
        <translation>「{name}」は大きすぎます。上限は{most}です。</translation>
    </message>
    <message>
        <source>“{name}” is not a folder, or there is a link on the way. Links are not followed.</source>
        <translation>「{name}」はフォルダーではないか、途中にリンクがあります。リンクはたどりません。</translation>
    </message>
    <message>
        <source>“{name}” is not a file but a link. Links are not followed.</source>
        <translation>「{name}」はファイルではなくリンクです。リンクはたどりません。</translation>
    </message>
    <message>
        <source>There is no folder “{name}” in the project&apos;s folder.</source>
        <translation>プロジェクトのフォルダーに「{name}」というフォルダーはありません。</translation>
    </message>
    <message>
        <source>There is no file “{name}” in the project&apos;s folder.</source>
        <translation>プロジェクトのフォルダーに「{name}」というファイルはありません。</translation>
    </message>
    <message>
        <source>You may not read “{name}”.</source>
        <translation>「{name}」を読み取る権限がありません。</translation>
    </message>
    <message>
        <source>“{name}” cannot be opened: {reason}.</source>
        <translation>「{name}」を開けません: {reason}。</translation>
    </message>
    <message>
        <source>The file was changed after the change was proposed.</source>
        <translation>変更の提案後にファイルが変更されました。</translation>
    </message>
    <message>
        <source>Ask the model to read the file again and to propose the change again.</source>
        <translation>ファイルを読み直して、もう一度変更を提案するようモデルに頼んでください。</translation>
    </message>
    <message>
        <source>The file was removed after the change was proposed.</source>
        <translation>変更の提案後にファイルが削除されました。</translation>
    </message>
    <message>
        <source>There is already a file with that name.</source>
        <translation>その名前のファイルはすでにあります。</translation>
    </message>
    <message>
        <source>The file belongs to another user of this computer.</source>
        <translation>このファイルはこのコンピューターの別のユーザーのものです。</translation>
    </message>
    <message>
        <source>The file is write-protected.</source>
        <translation>ファイルは書き込み禁止です。</translation>
    </message>
    <message>
        <source>Remove the protection, then try again.</source>
        <translation>保護を解除してから、もう一度試してください。</translation>
    </message>
    <message>
        <source>The disk of “{name}” is full.</source>
        <translation>「{name}」のディスクがいっぱいです。</translation>
    </message>
    <message>
        <source>Free some space, then try again.</source>
        <translation>空き容量を増やしてから、もう一度試してください。</translation>
    </message>
    <message>
        <source>You may not write to “{name}”.</source>
        <translation>「{name}」に書き込む権限がありません。</translation>
    </message>
    <message>
        <source>“{name}” could not be written: {reason}.</source>
        <translation>「{name}」に書き込めませんでした: {reason}。</translation>
    </message>
    <message>
        <source>It no longer knows the session.</source>
        <translation>セッションが失われています。</translation>
    </message>
    <message>
        <source>something</source>
        <translation>別のもの</translation>
    </message>
    <message>
        <source>It answered with {kind}, not with a message of the protocol. Is its address right?</source>
        <translation>プロトコルのメッセージではなく{kind}が返されました。アドレスは正しいですか？</translation>
    </message>
    <message>
        <source>The connection ended before it answered.</source>
        <translation>応答する前に接続が終了しました。</translation>
    </message>
    <message>
        <source>It answered with status {status}.</source>
        <translation>ステータス{status}が返されました。</translation>
    </message>
    <message>
        <source>ChatDesk does not speak the older transport with two addresses (SSE): is there one that ends with /mcp?</source>
        <translation>ChatDeskは2つのアドレスを使う古いトランスポート(SSE)に対応していません。/mcpで終わるアドレスはありませんか？</translation>
    </message>
    <message>
        <source>It sent more than {most} values in one message.</source>
        <translation>1つのメッセージで{most}個を超える値が送られました。</translation>
    </message>
    <message>
        <source>It is larger than {most}.</source>
        <translation>{most}を超えています。</translation>
    </message>
    <message>
        <source>It is not valid base64.</source>
        <translation>有効なbase64ではありません。</translation>
    </message>
    <message>
        <source>It sent too many requests, or used an id twice, before it read the answers.</source>
        <translation>応答を読まないまま、リクエストを送りすぎたか、同じIDを2回使いました。</translation>
    </message>
    <message>
        <source>It was stopped.</source>
        <translation>停止されました。</translation>
    </message>
    <message>
        <source>It did not answer in time.</source>
        <translation>時間内に応答がありませんでした。</translation>
    </message>
    <message>
        <source>Its answer could not be read ({kind}).</source>
        <translation>応答を読み取れませんでした({kind})。</translation>
    </message>
    <message>
        <source>It is not running.</source>
        <translation>動作していません。</translation>
    </message>
    <message>
        <source>The sign-in was declined.</source>
        <translation>サインインが拒否されました。</translation>
    </message>
    <message>
        <source>It ended.</source>
        <translation>終了しました。</translation>
    </message>
    <message>
        <source>Its answer does not follow the protocol.</source>
        <translation>応答がプロトコルに従っていません。</translation>
    </message>
    <message>
        <source>It did not answer in {seconds} s (Settings, Tools).</source>
        <translation>{seconds}秒以内に応答がありませんでした(「設定」の「ツール」)。</translation>
    </message>
    <message>
        <source>The program {name} was not found.</source>
        <translation>プログラム{name}が見つかりませんでした。</translation>
    </message>
    <message>
        <source>The program {name} may not be run.</source>
        <translation>プログラム{name}を実行する権限がありません。</translation>
    </message>
    <message>
        <source>It cannot be reached.</source>
        <translation>接続できません。</translation>
    </message>
    <message>
        <source>It refused the connection: {reason}</source>
        <translation>接続が拒否されました: {reason}</translation>
    </message>
    <message>
        <source>The connection failed ({kind}).</source>
        <translation>接続に失敗しました({kind})。</translation>
    </message>
    <message>
        <source>It asked to sign in again right after you had signed in.</source>
        <translation>サインインの直後に、もう一度サインインを求められました。</translation>
    </message>
    <message>
        <source>It sends you to a page of another site than the one that would get your sign-in.</source>
        <translation>サインイン先とは別のサイトのページに誘導されました。</translation>
    </message>
    <message>
        <source>It sends sign-ins over an address that others could read.</source>
        <translation>サインインが他人に読まれうるアドレスを通して送られます。</translation>
    </message>
    <message>
        <source>It sends sign-ins to an address on this computer or its network.</source>
        <translation>サインインがこのコンピューターやそのネットワークのアドレスに送られます。</translation>
    </message>
    <message>
        <source>Nobody signed in in time.</source>
        <translation>時間内にサインインされませんでした。</translation>
    </message>
    <message>
        <source>It does not let ChatDesk register. Enter the ID of a client that you registered there.</source>
        <translation>ChatDeskを登録できません。そこに登録したクライアントのIDを入力してください。</translation>
    </message>
    <message>
        <source>It did not accept the sign-in.</source>
        <translation>サインインが受け付けられませんでした。</translation>
    </message>
    <message>
        <source>The facts that it gives about signing in contradict each other.</source>
        <translation>サインインについて示された情報が矛盾しています。</translation>
    </message>
    <message>
        <source>The server where you sign in could not be reached, or sent too much.</source>
        <translation>サインイン先のサーバーに接続できないか、送られたデータが多すぎました。</translation>
    </message>
    <message>
        <source>Signing in failed ({kind}).</source>
        <translation>サインインに失敗しました({kind})。</translation>
    </message>
    <message>
        <source>It ended with exit code {code}.</source>
        <translation>終了コード{code}で終了しました。</translation>
    </message>
    <message>
        <source>Its output is not valid UTF-8.</source>
        <translation>出力が有効なUTF-8ではありません。</translation>
    </message>
    <message>
        <source>It sent more than {most} in one message.</source>
        <translation>1つのメッセージで{most}を超えるデータが送られました。</translation>
    </message>
    <message>
        <source>{path} cannot be written: {reason}.</source>
        <translation>{path}に書き込めません: {reason}。</translation>
    </message>
    <message>
        <source>There is nothing here.</source>
        <translation>ここには何もありません。</translation>
    </message>
    <message>
        <source>This answer belongs to no sign-in that ChatDesk waits for.</source>
        <translation>この応答は、ChatDeskが待っているサインインのものではありません。</translation>
    </message>
    <message>
        <source>The sign-in was declined. You can close this page.</source>
        <translation>サインインが拒否されました。このページは閉じてかまいません。</translation>
    </message>
    <message>
        <source>ChatDesk has the answer. You can close this page.</source>
        <translation>ChatDeskが応答を受け取りました。このページは閉じてかまいません。</translation>
    </message>
    <message>
        <source>It is not JSON.</source>
        <translation>JSONではありません。</translation>
    </message>
    <message>
        <source>It is cut off.</source>
        <translation>途中で切れています。</translation>
    </message>
    <message>
        <source>It is nested {count} levels deep.</source>
        <translation>{count}段の入れ子になっています。</translation>
    </message>
    <message>
        <source>It is nested too deeply.</source>
        <translation>入れ子が深すぎます。</translation>
    </message>
    <message>
        <source>The folder of the service {path} cannot be written to: {reason}.</source>
        <translation>サービスのフォルダー{path}に書き込めません: {reason}。</translation>
    </message>
    <message>
        <source>Check its owner and permissions, or choose another --data-dir.</source>
        <translation>所有者と権限を確認するか、別の--data-dirを指定してください。</translation>
    </message>
    <message>
        <source>The service cannot listen: {reason}.</source>
        <translation>サービスが待ち受けできません: {reason}。</translation>
    </message>
    <message>
        <source>Choose another port in the settings, or 0 for any that is free.</source>
        <translation>設定で別のポートを選ぶか、空いているポートを使うには0にしてください。</translation>
    </message>
    <message>
        <source>The address of the service cannot be written: {reason}.</source>
        <translation>サービスのアドレスを書き込めません: {reason}。</translation>
    </message>
    <message>
        <source>The settings name another address for the service, but no token may be used there.</source>
        <translation>設定にサービスの別のアドレスがありますが、そこで使えるトークンがありません。</translation>
    </message>
    <message>
        <source>The service was not started.</source>
        <translation>サービスは開始されませんでした。</translation>
    </message>
    <message>
        <source>Make one with &apos;chatdesk tokens new NAME --scope remote&apos;, or leave the address empty.</source>
        <translation>&apos;chatdesk tokens new NAME --scope remote&apos;で作成するか、アドレスを空にしてください。</translation>
    </message>
    <message>
        <source>The address of the service must be a name or number of this computer with a port.</source>
        <translation>サービスのアドレスは、このコンピューターの名前か番号にポートを付けたものでなければなりません。</translation>
    </message>
    <message>
        <source>For example 192.168.1.5:8443, the address at which others reach this computer.</source>
        <translation>例: 192.168.1.5:8443。ほかの人がこのコンピューターに接続するアドレスです。</translation>
    </message>
    <message>
        <source>Another address than this computer&apos;s own needs TLS.</source>
        <translation>このコンピューター自身のアドレス以外ではTLSが必要です。</translation>
    </message>
    <message>
        <source>Name the files of a certificate and its key in the settings, or leave the address empty.</source>
        <translation>設定で証明書とその鍵のファイルを指定するか、アドレスを空にしてください。</translation>
    </message>
    <message>
        <source>The certificate of the service cannot be used: {reason}.</source>
        <translation>サービスの証明書を使えません: {reason}。</translation>
    </message>
    <message>
        <source>Both files must be in PEM format and belong together, and the key must have no passphrase.</source>
        <translation>両方のファイルがPEM形式で対になっていて、鍵にパスフレーズがない必要があります。</translation>
    </message>
    <message>
        <source>“{origin}” is not the origin of web pages.</source>
        <translation>「{origin}」はWebページのオリジンではありません。</translation>
    </message>
    <message>
        <source>An origin is a scheme, a name and a port if there is one: https://tool.example.</source>
        <translation>オリジンはスキーム、名前、(あれば)ポートからなります: https://tool.example。</translation>
    </message>
    <message>
        <source>Project folder</source>
        <translation>プロジェクトのフォルダー</translation>
    </message>
    <message>
        <source>List a folder of the project</source>
        <translation>プロジェクトのフォルダーを一覧表示</translation>
    </message>
    <message>
        <source>Find files of the project</source>
        <translation>プロジェクトのファイルを検索</translation>
    </message>
    <message>
        <source>Read a file of the project</source>
        <translation>プロジェクトのファイルを読む</translation>
    </message>
    <message>
        <source>Propose a change to a file of the project</source>
        <translation>プロジェクトのファイルの変更を提案</translation>
    </message>
    <message>
        <source>A temporary chat keeps nothing, so no change is proposed in it.</source>
        <translation>一時チャットは何も保存しないため、変更は提案されません。</translation>
    </message>
    <message>
        <source>Files of a folder can be used on Linux and macOS only.</source>
        <translation>フォルダーのファイルはLinuxとmacOSでのみ使えます。</translation>
    </message>
    <message>
        <source>Nothing was read.</source>
        <translation>何も読み込まれていません。</translation>
    </message>
    <message>
        <source>The project of this thread has no folder on this computer.</source>
        <translation>このスレッドのプロジェクトには、このコンピューターにフォルダーがありません。</translation>
    </message>
    <message>
        <source>The web</source>
        <translation>Web</translation>
    </message>
    <message>
        <source>Search the web</source>
        <translation>ウェブを検索</translation>
    </message>
    <message>
        <source>Read a web page</source>
        <translation>ウェブページを読む</translation>
    </message>
    <message numerus="yes">
        <source>Questions in this thread go to {count} models.</source>
        <comment>Questions in this thread go to {count} model.</comment>
        <translation>
            <numerusform>このスレッドの質問は{count}個のモデルに送られます。</numerusform>
        </translation>
    </message>
    <message>
        <source>It sent too many messages that nobody asked for, more than {count} in a second.</source>
        <translation>求めていないメッセージが多すぎました(1秒に{count}件超)。</translation>
    </message>
    <message>
        <source>It wrote too much that nobody asked for, more than {count} bytes in a second.</source>
        <translation>求めていない出力が多すぎました(1秒に{count}バイト超)。</translation>
    </message>
    <message>
        <source>The server has lost nothing.</source>
        <translation>サーバーは何も失っていません。</translation>
    </message>
    <message>
        <source>“{project}” goes on without them. Every computer fetches it again.</source>
        <translation>「{project}」はそれらなしで続きます。各コンピューターが改めて取得します。</translation>
    </message>
    <message>
        <source>Every computer fetches the project again and sends what its person wrote and still has. What nobody sends stays only where it is now. If there is a backup of the server that has these changes, restore that instead.</source>
        <translation>各コンピューターはプロジェクトを改めて取得し、その人が書いて今も持っているものを送信します。誰も送らないものは、今ある場所にだけ残ります。これらの変更を含むサーバーのバックアップがあれば、そちらを復元してください。</translation>
    </message>
    <message>
        <source>Whoever joins the project gets only what comes before the first of them.</source>
        <translation>プロジェクトに参加する人は、最初の欠落より前のものだけを受け取ります。</translation>
    </message>
    <message>
        <source>An owner of the project can let it go on without them.</source>
        <translation>プロジェクトの所有者は、それらなしで続けることができます。</translation>
    </message>
    <message numerus="yes">
        <source>{count} changes (numbers {first} to {last}), made between {after} and {before}.</source>
        <comment>{count} change (number {first}), made between {after} and {before}.</comment>
        <translation>
            <numerusform>{count}件の変更（番号{first}から{last}）、{after}から{before}までの間。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} changes (numbers {first} to {last}), made since {after}.</source>
        <comment>{count} change (number {first}), made since {after}.</comment>
        <translation>
            <numerusform>{count}件の変更（番号{first}から{last}）、{after}以降。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} changes (numbers {first} to {last}), the first of the project.</source>
        <comment>{count} change (number {first}), the first of the project.</comment>
        <translation>
            <numerusform>{count}件の変更（番号{first}から{last}）、プロジェクトの最初のもの。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>“{project}”: the server has lost {count} changes.</source>
        <comment>“{project}”: the server has lost {count} change.</comment>
        <translation>
            <numerusform>「{project}」: サーバーは{count}件の変更を失いました。</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>Let “{project}” go on without {count} changes?</source>
        <comment>Let “{project}” go on without {count} change?</comment>
        <translation>
            <numerusform>「{project}」を{count}件の変更なしで続けますか？</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>“{project}”: on {day}, {who} let it go on without {count} changes that the server had lost.</source>
        <comment>“{project}”: on {day}, {who} let it go on without {count} change that the server had lost.</comment>
        <translation>
            <numerusform>「{project}」: {day}に{who}が、サーバーが失った{count}件の変更なしで続けました。</numerusform>
        </translation>
    </message>
    <message>
        <source>Search your earlier threads</source>
        <translation>以前のスレッドを検索</translation>
    </message>
    <message>
        <source>Read an earlier thread</source>
        <translation>以前のスレッドを読む</translation>
    </message>
    <message>
        <source>Read a file of an earlier thread</source>
        <translation>以前のスレッドのファイルを読む</translation>
    </message>
    <message>
        <source>Results are below: up and down choose, Enter opens one</source>
        <translation>結果は下にあります。上下で選び、Enterで開きます</translation>
    </message>
    <message>
        <source>Side by side</source>
        <translation>並べて表示</translation>
    </message>
    <message>
        <source>Searched the web: {what}</source>
        <translation>ウェブを検索: {what}</translation>
    </message>
    <message>
        <source>Read {what}</source>
        <translation>{what}を読みました</translation>
    </message>
    <message>
        <source>Searched your threads: {what}</source>
        <translation>スレッドを検索: {what}</translation>
    </message>
    <message>
        <source>Looked into the folder {what}</source>
        <translation>フォルダー{what}を確認</translation>
    </message>
    <message>
        <source>Looked for files: {what}</source>
        <translation>ファイルを検索: {what}</translation>
    </message>
    <message>
        <source>Proposed a change to {what}</source>
        <translation>{what}の変更を提案</translation>
    </message>
    <message>
        <source>Looked for a tool</source>
        <translation>ツールを検索</translation>
    </message>
    <message>
        <source>Asked {server}: {what}</source>
        <translation>{server}に問い合わせ: {what}</translation>
    </message>
    <message numerus="yes">
        <source>{count} steps</source>
        <comment>{count} step</comment>
        <translation>
            <numerusform>{count}ステップ</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} failed</source>
        <comment>{count} failed</comment>
        <translation>
            <numerusform>{count}件失敗</numerusform>
        </translation>
    </message>
    <message>
        <source>Check against the server again, and accept what is missing then. The log was closed up to there already, and no change was lost by that.</source>
        <translation>もう一度サーバーと照合し、そのとき欠けているものを受け入れてください。ログはそこまですでに閉じられており、それによって失われた変更はありません。</translation>
    </message>
    <message>
        <source>An answer in a shared project is still being written.</source>
        <translation>共有プロジェクトで回答がまだ書かれている途中です。</translation>
    </message>
    <message>
        <source>Wait until it ends, or stop it, then connect again.</source>
        <translation>終わるのを待つか停止してから、再接続してください。</translation>
    </message>
    <message>
        <source>No program opened {address}.</source>
        <translation>{address} を開けるプログラムがありませんでした。</translation>
    </message>
    <message>
        <source>{name}, page {page} — {heading}</source>
        <translation>{name}、{page}ページ — {heading}</translation>
    </message>
    <message>
        <source>{name}, page {page}</source>
        <translation>{name}、{page}ページ</translation>
    </message>
    <message>
        <source>This looks like a secret.</source>
        <translation>これは秘密情報のように見えます。</translation>
    </message>
    <message>
        <source>Say that it is to be read all the same, or choose another place.</source>
        <translation>それでも読み込むと指定するか、別の場所を選んでください。</translation>
    </message>
    <message>
        <source>There is no file {path}.</source>
        <translation>ファイル{path}はありません。</translation>
    </message>
    <message>
        <source>Choose a file that exists on this computer.</source>
        <translation>このコンピューターに存在するファイルを選んでください。</translation>
    </message>
    <message>
        <source>“{name}” looks like a secret.</source>
        <translation>「{name}」は秘密情報のように見えます。</translation>
    </message>
    <message>
        <source>This file is not on this computer.</source>
        <translation>このファイルはこのコンピューターにありません。</translation>
    </message>
    <message>
        <source>There is no folder or file {place}.</source>
        <translation>フォルダーまたはファイル{place}はありません。</translation>
    </message>
    <message>
        <source>Give the path of a folder or file, or an address that begins with https://.</source>
        <translation>フォルダーかファイルのパス、またはhttps://で始まるアドレスを指定してください。</translation>
    </message>
    <message>
        <source>This folder or file cannot be read.</source>
        <translation>このフォルダーまたはファイルを読み込めません。</translation>
    </message>
    <message>
        <source>What was read from it before is kept.</source>
        <translation>以前に読み込んだ内容は残っています。</translation>
    </message>
    <message>
        <source>Make it available again, or remove it from the files of the project.</source>
        <translation>もう一度使えるようにするか、プロジェクトのファイルから外してください。</translation>
    </message>
    <message>
        <source>“{name}” is not a file.</source>
        <translation>「{name}」はファイルではありません。</translation>
    </message>
    <message>
        <source>“{name}” is not a folder.</source>
        <translation>「{name}」はフォルダーではありません。</translation>
    </message>
    <message>
        <source>“{place}” cannot be read: {reason}.</source>
        <translation>「{place}」を読み込めません: {reason}。</translation>
    </message>
    <message>
        <source>This project does not exist.</source>
        <translation>このプロジェクトは存在しません。</translation>
    </message>
    <message>
        <source>“{place}” is among the files of this project already.</source>
        <translation>「{place}」はすでにこのプロジェクトのファイルに入っています。</translation>
    </message>
    <message>
        <source>This folder, file or page is not among the files of a project.</source>
        <translation>このフォルダー、ファイル、またはページは、どのプロジェクトのファイルにも入っていません。</translation>
    </message>
    <message>
        <source>Files of the project</source>
        <translation>プロジェクトのファイル</translation>
    </message>
    <message>
        <source>Search the files of the project</source>
        <translation>プロジェクトのファイルを検索</translation>
    </message>
    <message>
        <source>Read on in a file of the project</source>
        <translation>プロジェクトのファイルの続きを読む</translation>
    </message>
    <message>
        <source>Read this all the same?</source>
        <translation>それでも読み込みますか？</translation>
    </message>
    <message>
        <source>{looks} What it says can go with questions to those who get the files of the project.</source>
        <translation>{looks} その内容が、質問と一緒に、プロジェクトのファイルを受け取る相手に送られることがあります。</translation>
    </message>
    <message>
        <source>Read it</source>
        <translation>読み込む</translation>
    </message>
    <message>
        <source>Remove this from the files of the project?</source>
        <translation>これをプロジェクトのファイルから外しますか？</translation>
    </message>
    <message>
        <source>ChatDesk forgets what it read from “{place}”. Nothing is deleted there.</source>
        <translation>ChatDeskは「{place}」から読み込んだ内容を破棄します。元の場所からは何も削除されません。</translation>
    </message>
    <message>
        <source>The passage is not on this page: the file may have changed since it was read.</source>
        <translation>この箇所はこのページにありません。読み込んだ後にファイルが変更された可能性があります。</translation>
    </message>
    <message>
        <source>This passage is no longer in the files of the project: the file changed, or was removed.</source>
        <translation>この箇所はもうプロジェクトのファイルにありません。ファイルが変更されたか、外されました。</translation>
    </message>
    <message>
        <source>The answer is unchanged.</source>
        <translation>回答は変わっていません。</translation>
    </message>
    <message>
        <source>Ask again to search the files as they are now.</source>
        <translation>もう一度質問すると、現在のファイルを検索します。</translation>
    </message>
    <message>
        <source>Open the file</source>
        <translation>ファイルを開く</translation>
    </message>
    <message>
        <source>Previous page</source>
        <translation>前のページ</translation>
    </message>
    <message>
        <source>Next page</source>
        <translation>次のページ</translation>
    </message>
    <message>
        <source>Smaller</source>
        <translation>縮小</translation>
    </message>
    <message>
        <source>Larger</source>
        <translation>拡大</translation>
    </message>
    <message>
        <source>Show the text of the page</source>
        <translation>ページのテキストを表示</translation>
    </message>
    <message>
        <source>Page</source>
        <translation>ページ</translation>
    </message>
    <message>
        <source>Show the page</source>
        <translation>ページを表示</translation>
    </message>
    <message>
        <source>Page {page} of {total}</source>
        <translation>{page}/{total}ページ</translation>
    </message>
    <message>
        <source>Page {page}</source>
        <translation>{page}ページ</translation>
    </message>
    <message>
        <source>Memory is off.</source>
        <translation>メモリーはオフです。</translation>
    </message>
    <message>
        <source>Memories are not sent to this provider: you did not allow it.</source>
        <translation>このプロバイダーは許可されていないため、メモリーは送られません。</translation>
    </message>
    <message>
        <source>Memories are not sent in a shared project.</source>
        <translation>共有プロジェクトではメモリーは送られません。</translation>
    </message>
    <message>
        <source>Memories are not sent in a temporary chat.</source>
        <translation>一時チャットではメモリーは送られません。</translation>
    </message>
    <message>
        <source>A memory needs a text.</source>
        <translation>メモリーには文が必要です。</translation>
    </message>
    <message>
        <source>Write one sentence.</source>
        <translation>1つの文を書いてください。</translation>
    </message>
    <message>
        <source>The memory has {count} characters; the most is {most}.</source>
        <translation>メモリーは{count}文字ありますが、上限は{most}文字です。</translation>
    </message>
    <message>
        <source>Shorten it to what matters.</source>
        <translation>大事な部分だけに短くしてください。</translation>
    </message>
    <message numerus="yes">
        <source>about {count} hours left</source>
        <comment>about {count} hour left</comment>
        <translation>
            <numerusform>残り約{count}時間</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>about {count} minutes left</source>
        <comment>about {count} minute left</comment>
        <translation>
            <numerusform>残り約{count}分</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>about {count} seconds left</source>
        <comment>about {count} second left</comment>
        <translation>
            <numerusform>残り約{count}秒</numerusform>
        </translation>
    </message>
    <message numerus="yes">
        <source>{count} look like secrets, not read</source>
        <comment>{count} looks like a secret, not read</comment>
        <translation>
            <numerusform>{count}件は秘密情報のように見えるため、読み込んでいません</numerusform>
        </translation>
    </message>
    <message>
        <source>not tried yet</source>
        <translation>未実行</translation>
    </message>
    <message>
        <source>found at place {place}</source>
        <translation>{place}番目に見つかりました</translation>
    </message>
    <message>
        <source>not found</source>
        <translation>見つかりません</translation>
    </message>
    <message>
        <source>at place {place}</source>
        <translation>{place}番目</translation>
    </message>
    <message>
        <source>{outcome} (before: {earlier})</source>
        <translation>{outcome}(前回: {earlier})</translation>
    </message>
    <message>
        <source>Another computer shares “{place}” with this project.</source>
        <translation>別のコンピューターが「{place}」をこのプロジェクトに共有しています。</translation>
    </message>
    <message>
        <source>Pause it, and ask the person who shares it to end that.</source>
        <translation>一時停止し、共有している人に共有の終了を依頼してください。</translation>
    </message>
    <message>
        <source>Files are shared by the owners and admins of a shared project, from their own computers.</source>
        <translation>共有プロジェクトのファイルを共有できるのは、所有者と管理者が自分のコンピューターから行う場合だけです。</translation>
    </message>
    <message>
        <source>It is damaged and cannot be drawn.</source>
        <translation>破損していて表示できません。</translation>
    </message>
    <message>
        <source>This page cannot be drawn.</source>
        <translation>このページは表示できません。</translation>
    </message>
    <message>
        <source>Read its text instead, or open the file in another program.</source>
        <translation>代わりにテキストを読むか、ファイルを別のプログラムで開いてください。</translation>
    </message>
    <message>
        <source>Name the model for embeddings.</source>
        <translation>埋め込み用モデルを指定してください。</translation>
    </message>
    <message>
        <source>The files of this project are never sent to this provider.</source>
        <translation>このプロジェクトのファイルは、このプロバイダーには送られません。</translation>
    </message>
    <message>
        <source>Let it have them first, or choose another provider.</source>
        <translation>先にこのプロバイダーへの送信を認めるか、別のプロバイダーを選んでください。</translation>
    </message>
    <message>
        <source>“{model}” did not answer in time.</source>
        <translation>「{model}」が時間内に応答しませんでした。</translation>
    </message>
    <message>
        <source>No provider can be asked here.</source>
        <translation>ここではプロバイダーに問い合わせできません。</translation>
    </message>
    <message>
        <source>The vectors of “{model}” cannot be used.</source>
        <translation>「{model}」のベクトルは使えません。</translation>
    </message>
    <message>
        <source>The vectors of “{model}” have {found} numbers now, and had {known}.</source>
        <translation>「{model}」のベクトルの数値は{found}個になっています。以前は{known}個でした。</translation>
    </message>
    <message>
        <source>Memory is off, so nothing was remembered.</source>
        <translation>メモリーがオフのため、何も記憶しませんでした。</translation>
    </message>
    <message>
        <source>Nothing was kept.</source>
        <translation>何も保存されていません。</translation>
    </message>
    <message>
        <source>Turn it on in Settings, Context, Memory.</source>
        <translation>「設定」の「コンテキスト」の「メモリー」でオンにしてください。</translation>
    </message>
    <message>
        <source>The memories are unchanged.</source>
        <translation>メモリーは変更されていません。</translation>
    </message>
    <message>
        <source>Nothing in the files of the project fits this question.</source>
        <translation>プロジェクトのファイルに、この質問に合うものはありません。</translation>
    </message>
    <message>
        <source>What was found in the files of the project did not fit into the request.</source>
        <translation>プロジェクトのファイルで見つかったものは、リクエストに入りきりませんでした。</translation>
    </message>
    <message>
        <source>The files of the project were not sent: this provider never gets them.</source>
        <translation>プロジェクトのファイルは送られていません。このプロバイダーには送らない設定です。</translation>
    </message>
    <message>
        <source>Remember facts that you confirm</source>
        <translation>確認した事柄を記憶</translation>
    </message>
    <message>
        <source>Off: nothing is kept or sent. What is there stays until you delete it.</source>
        <translation>オフの場合、何も保存されず、何も送られません。すでにあるものは、削除するまで残ります。</translation>
    </message>
    <message>
        <source>Memory</source>
        <translation>メモリー</translation>
    </message>
    <message>
        <source>memories remember facts</source>
        <translation>メモリー 記憶 覚える 事柄</translation>
    </message>
    <message>
        <source>Propose memories below an answer</source>
        <translation>回答の下にメモリーを提案</translation>
    </message>
    <message>
        <source>A sentence of yours that is about you. Nothing is kept unless you confirm it.</source>
        <translation>自分が書いた、自分に関する文です。確認しないかぎり、何も保存されません。</translation>
    </message>
    <message>
        <source>Memories take at most</source>
        <translation>メモリーに使う上限</translation>
    </message>
    <message>
        <source>tokens of a request</source>
        <translation>トークン(リクエストごと)</translation>
    </message>
    <message>
        <source>Providers that are sent memories</source>
        <translation>メモリーを送るプロバイダー</translation>
    </message>
    <message>
        <source>A question and the file that should be found are both needed, in few words.</source>
        <translation>質問と、見つかるべきファイルの両方が、短い言葉で必要です。</translation>
    </message>
    <message>
        <source>A project keeps at most {count} questions.</source>
        <translation>1つのプロジェクトに保存できる質問は最大{count}件です。</translation>
    </message>
    <message>
        <source>Remove some first.</source>
        <translation>先にいくつか外してください。</translation>
    </message>
    <message>
        <source>Another memory says the same.</source>
        <translation>別のメモリーに同じ内容があります。</translation>
    </message>
    <message>
        <source>Delete one of the two.</source>
        <translation>どちらか一方を削除してください。</translation>
    </message>
    <message>
        <source>ChatDesk keeps {most} memories at most.</source>
        <translation>ChatDeskが保存するメモリーは最大{most}件です。</translation>
    </message>
    <message>
        <source>Delete some that no longer matter.</source>
        <translation>不要になったものを削除してください。</translation>
    </message>
    <message>
        <source>This memory does not exist.</source>
        <translation>このメモリーは存在しません。</translation>
    </message>
    <message>
        <source>Memories are not sent in a shared project, so none is kept for it alone.</source>
        <translation>共有プロジェクトではメモリーが送られないため、そのプロジェクト専用には保存できません。</translation>
    </message>
    <message>
        <source>Keep it everywhere.</source>
        <translation>すべての場所用に保存してください。</translation>
    </message>
    <message>
        <source>My computers</source>
        <translation>自分のコンピューター</translation>
    </message>
    <message>
        <source>Me</source>
        <translation>自分</translation>
    </message>
    <message>
        <source>The key of your computers cannot be found on this one.</source>
        <translation>自分のコンピューター用のキーが、このコンピューターに見つかりません。</translation>
    </message>
    <message>
        <source>Unlock the keyring, or join again with the recovery phrase: &apos;chatdesk computers join&apos;.</source>
        <translation>キーリングのロックを解除するか、リカバリーフレーズでもう一度参加してください: &apos;chatdesk computers join&apos;。</translation>
    </message>
    <message>
        <source>This computer cannot keep the key of your computers.</source>
        <translation>このコンピューターでは、自分のコンピューター用のキーを保管できません。</translation>
    </message>
    <message>
        <source>This folder is not empty.</source>
        <translation>このフォルダーは空ではありません。</translation>
    </message>
    <message>
        <source>Choose an empty folder, or a new one inside. If your other computer uses this one, join it with the phrase.</source>
        <translation>空のフォルダーを選ぶか、中に新しいフォルダーを作成してください。ほかのコンピューターがこのフォルダーを使っている場合は、リカバリーフレーズで参加してください。</translation>
    </message>
    <message>
        <source>No computer of yours has written into this folder, as far as it has arrived here.</source>
        <translation>ここに届いている範囲では、このフォルダーに書き込んだ自分のコンピューターはありません。</translation>
    </message>
    <message>
        <source>Wait until the folder has been carried here, or look whether it is the right one.</source>
        <translation>フォルダーがここに届くまで待つか、正しいフォルダーか確認してください。</translation>
    </message>
    <message>
        <source>The recovery phrase is not the one of this folder.</source>
        <translation>このフォルダーのリカバリーフレーズではありません。</translation>
    </message>
    <message>
        <source>Use the phrase that was shown when the first computer began with this folder, or when one was removed since.</source>
        <translation>最初のコンピューターがこのフォルダーを使い始めたとき、またはその後コンピューターを外したときに表示されたフレーズを使ってください。</translation>
    </message>
    <message>
        <source>It is there.</source>
        <translation>存在します。</translation>
    </message>
    <message>
        <source>This is a file. Choose a folder.</source>
        <translation>これはファイルです。フォルダーを選んでください。</translation>
    </message>
    <message>
        <source>It is made when you go on.</source>
        <translation>続行すると作成されます。</translation>
    </message>
    <message>
        <source>It is not there, nor is the folder around it. Connect the disk, or look again.</source>
        <translation>これも、それを含むフォルダーも存在しません。ディスクを接続するか、もう一度確認してください。</translation>
    </message>
    <message>
        <source>It cannot be written: {reason}.</source>
        <translation>書き込めません: {reason}。</translation>
    </message>
    <message>
        <source>It can be written.</source>
        <translation>書き込めます。</translation>
    </message>
    <message>
        <source>Contents</source>
        <translation>内容</translation>
    </message>
    <message>
        <source>{problem}</source>
        <translation>{problem}</translation>
    </message>
    <message>
        <source>Another computer of yours uses it already. Cancel, and choose Join.</source>
        <translation>別の自分のコンピューターがすでに使っています。キャンセルして、「参加」を選んでください。</translation>
    </message>
    <message>
        <source>It is a folder of ChatDesk.</source>
        <translation>ChatDeskのフォルダーです。</translation>
    </message>
    <message>
        <source>The folder is empty.</source>
        <translation>フォルダーは空です。</translation>
    </message>
    <message>
        <source>It has other files. Choose an empty folder, or a new one inside.</source>
        <translation>ほかのファイルがあります。空のフォルダーを選ぶか、中に新しいフォルダーを作成してください。</translation>
    </message>
    <message>
        <source>This computer has not joined any others.</source>
        <translation>このコンピューターは、ほかのコンピューターに参加していません。</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers start&apos; or &apos;join&apos; does that.</source>
        <translation>&apos;chatdesk computers start&apos;または&apos;join&apos;で参加できます。</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers status&apos; lists them.</source>
        <translation>&apos;chatdesk computers status&apos;で一覧を表示できます。</translation>
    </message>
    <message>
        <source>The exchange with your other computers is paused.</source>
        <translation>ほかのコンピューターとのやり取りは一時停止中です。</translation>
    </message>
    <message>
        <source>Nothing is read or written in the folder.</source>
        <translation>フォルダーでは何も読み書きされません。</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers resume&apos; goes on.</source>
        <translation>&apos;chatdesk computers resume&apos;で再開できます。</translation>
    </message>
    <message>
        <source>Name it by its id: &apos;chatdesk computers status --json&apos; has them.</source>
        <translation>idで指定してください。&apos;chatdesk computers status --json&apos;で確認できます。</translation>
    </message>
    <message>
        <source>This computer has left the folder, and your chats are kept.</source>
        <translation>このコンピューターはフォルダーから離れました。チャットは保存されています。</translation>
    </message>
    <message>
        <source>This profile has chats already.</source>
        <translation>このプロファイルにはすでにチャットがあります。</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers join&apos; merges them with those of the folder.</source>
        <translation>&apos;chatdesk computers join&apos;で、フォルダーのチャットと統合できます。</translation>
    </message>
    <message>
        <source>Several computers are called {name}.</source>
        <translation>{name}という名前のコンピューターが複数あります。</translation>
    </message>
    <message>
        <source>None of your computers is called {name}.</source>
        <translation>{name}という名前の自分のコンピューターはありません。</translation>
    </message>
    <message>
        <source>This is the computer that you use.</source>
        <translation>これは使用中のコンピューターです。</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers leave&apos; forgets the folder.</source>
        <translation>&apos;chatdesk computers leave&apos;でフォルダーの使用をやめられます。</translation>
    </message>
    <message>
        <source>The copies that were kept for the folder cannot be removed: {reason}.</source>
        <translation>フォルダー用に保管していたコピーを削除できません: {reason}。</translation>
    </message>
    <message>
        <source>Remove {folder} by hand.</source>
        <translation>{folder}を手動で削除してください。</translation>
    </message>
    <message>
        <source>This computer has joined already.</source>
        <translation>このコンピューターはすでに参加しています。</translation>
    </message>
    <message>
        <source>&apos;chatdesk computers status&apos;</source>
        <translation>&apos;chatdesk computers status&apos;</translation>
    </message>
    <message>
        <source>That is not a recovery phrase of ChatDesk.</source>
        <translation>これはChatDeskのリカバリーフレーズではありません。</translation>
    </message>
    <message>
        <source>It has seven groups of four letters and digits. Compare each with what was shown at the start.</source>
        <translation>英数字4文字ずつ7組です。最初に表示されたものと1文字ずつ比べてください。</translation>
    </message>
    <message>
        <source>The folder of your computers cannot be reached.</source>
        <translation>自分のコンピューター用のフォルダーにアクセスできません。</translation>
    </message>
    <message>
        <source>Connect the disk, or start the program that carries the folder. ChatDesk tries again by itself.</source>
        <translation>ディスクを接続するか、フォルダーを同期するプログラムを起動してください。ChatDeskは自動的に再試行します。</translation>
    </message>
    <message>
        <source>The folder of your computers belongs to another recovery phrase.</source>
        <translation>自分のコンピューター用のフォルダーは、別のリカバリーフレーズのものです。</translation>
    </message>
    <message>
        <source>Nothing was written there, and everything you wrote is kept on this computer.</source>
        <translation>そこには何も書き込まれておらず、書いたものはすべてこのコンピューターに保存されています。</translation>
    </message>
    <message>
        <source>Put the folder back, or forget it and join again. ChatDesk tries again by itself.</source>
        <translation>フォルダーを元に戻すか、使用をやめてもう一度参加してください。ChatDeskは自動的に再試行します。</translation>
    </message>
    <message>
        <source>The disk with the folder of your computers is full.</source>
        <translation>自分のコンピューター用のフォルダーがあるディスクがいっぱいです。</translation>
    </message>
    <message>
        <source>Make room there. ChatDesk tries again by itself.</source>
        <translation>そこに空きを作ってください。ChatDeskは自動的に再試行します。</translation>
    </message>
    <message>
        <source>The folder of your computers cannot be used: {reason}.</source>
        <translation>自分のコンピューター用のフォルダーを使えません: {reason}。</translation>
    </message>
    <message>
        <source>{answer}: {question}</source>
        <translation>{answer}: {question}</translation>
    </message>
    <message>
        <source>not sent: no room</source>
        <translation>送られません: 空きがありません</translation>
    </message>
    <message>
        <source>not sent: does not fit the question</source>
        <translation>送られません: 質問に合いません</translation>
    </message>
    <message>
        <source>not sent: left out</source>
        <translation>送られません: 除外されています</translation>
    </message>
    <message>
        <source>not sent: this provider never gets it</source>
        <translation>送られません: このプロバイダーには送らない設定です</translation>
    </message>
    <message>
        <source>not sent: no longer in the files</source>
        <translation>送られません: もうファイルにありません</translation>
    </message>
    <message>
        <source>From the files of the project</source>
        <translation>プロジェクトのファイルから</translation>
    </message>
    <message>
        <source>What was found in the files</source>
        <translation>ファイルで見つかったもの</translation>
    </message>
    <message>
        <source>Leave out</source>
        <translation>除外</translation>
    </message>
    <message>
        <source>Show the passage</source>
        <translation>箇所を表示</translation>
    </message>
    <message>
        <source>Use again</source>
        <translation>再び使う</translation>
    </message>
    <message>
        <source>place {rank}</source>
        <translation>{rank}番目</translation>
    </message>
    <message>
        <source>named in the question</source>
        <translation>質問で指定</translation>
    </message>
    <message>
        <source>by words: {place}</source>
        <translation>言葉で: {place}番目</translation>
    </message>
    <message>
        <source>by meaning: {place}</source>
        <translation>意味で: {place}番目</translation>
    </message>
    <message>
        <source>the whole file</source>
        <translation>ファイル全体</translation>
    </message>
    <message>
        <source>Memories of this thread</source>
        <translation>このスレッドのメモリー</translation>
    </message>
    <message>
        <source>{text}: {fate}, {tokens}</source>
        <translation>{text}: {fate}、{tokens}</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories are sent</source>
        <comment>{count} memory is sent</comment>
        <translation>
            <numerusform>{count}件のメモリーを送ります</numerusform>
        </translation>
    </message>
    <message>
        <source>Send the files of the project to {provider}?</source>
        <translation>プロジェクトのファイルを{provider}に送りますか？</translation>
    </message>
    <message>
        <source>Send and use</source>
        <translation>送って使う</translation>
    </message>
    <message>
        <source>What is left out</source>
        <translation>除外するもの</translation>
    </message>
    <message>
        <source>One rule a line, as in a .gitignore: “drafts/” leaves out a folder, “*.log” an ending, and “!keep.log” takes a file in again. What is left out is forgotten at once.</source>
        <translation>.gitignoreと同じように、1行に1つの規則を書きます。「drafts/」はフォルダーを、「*.log」は拡張子を除外し、「!keep.log」はファイルを再び含めます。除外したものはすぐに破棄されます。</translation>
    </message>
    <message>
        <source>Rules</source>
        <translation>規則</translation>
    </message>
    <message>
        <source>{title}, page {page} of {total}</source>
        <translation>{title}、{page}/{total}ページ</translation>
    </message>
    <message>
        <source>Who gets these files</source>
        <translation>ファイルの送信先</translation>
    </message>
    <message>
        <source>Untick a provider, and nothing of the project&apos;s files is ever sent to it: no passage, no whole file, and nothing that tools read in them. Answers stay as they are.</source>
        <translation>プロバイダーのチェックを外すと、プロジェクトのファイルの内容はそこに一切送られません。箇所も、ファイル全体も、ツールがその中から読んだものも送られません。回答はそのまま残ります。</translation>
    </message>
    <message>
        <source>Files that look like secrets</source>
        <translation>秘密情報のように見えるファイル</translation>
    </message>
    <message>
        <source>By their names, these usually hold passwords or keys. One that you tick is read, and what it says can go with questions to those who get the files, but never to a team.</source>
        <translation>名前から見て、これらには通常パスワードやキーが入っています。チェックを入れたものは読み込まれ、その内容が質問と一緒に、ファイルを受け取る相手に送られることがあります。チームには送られません。</translation>
    </message>
    <message>
        <source>Kept questions</source>
        <translation>保存した質問</translation>
    </message>
    <message>
        <source>Write questions with the file that each should find. Run them now, and again after something changed.</source>
        <translation>質問と、その質問で見つかるべきファイルを書いてください。今すぐ実行し、何かを変更した後でもう一度実行できます。</translation>
    </message>
    <message>
        <source>The file to find</source>
        <translation>見つかるべきファイル</translation>
    </message>
    <message>
        <source>Run all</source>
        <translation>すべて実行</translation>
    </message>
    <message>
        <source>Add a memory</source>
        <translation>メモリーを追加</translation>
    </message>
    <message>
        <source>Edit the memory</source>
        <translation>メモリーを編集</translation>
    </message>
    <message>
        <source>One sentence</source>
        <translation>1つの文</translation>
    </message>
    <message>
        <source>What to remember</source>
        <translation>記憶する内容</translation>
    </message>
    <message>
        <source>Where it holds</source>
        <translation>適用先</translation>
    </message>
    <message>
        <source>Everywhere</source>
        <translation>すべての場所</translation>
    </message>
    <message>
        <source>Erase it with its message</source>
        <translation>メッセージと一緒に消去</translation>
    </message>
    <message>
        <source>Deleted: “{text}”</source>
        <translation>削除しました: 「{text}」</translation>
    </message>
    <message>
        <source>written by you</source>
        <translation>自分で記入</translation>
    </message>
    <message>
        <source>selected in a message</source>
        <translation>メッセージで選択</translation>
    </message>
    <message>
        <source>proposed below an answer</source>
        <translation>回答の下で提案</translation>
    </message>
    <message>
        <source>imported</source>
        <translation>インポート</translation>
    </message>
    <message>
        <source>from another program</source>
        <translation>別のプログラムから</translation>
    </message>
    <message>
        <source>A project without a name</source>
        <translation>名前のないプロジェクト</translation>
    </message>
    <message>
        <source>imported from {source}</source>
        <translation>{source}からインポート</translation>
    </message>
    <message>
        <source>its message is gone</source>
        <translation>元のメッセージはもうありません</translation>
    </message>
    <message>
        <source>erased with its message</source>
        <translation>メッセージと一緒に消去</translation>
    </message>
    <message>
        <source>not sent: what it belongs to is in the trash</source>
        <translation>送られません: 属するものがゴミ箱にあります</translation>
    </message>
    <message>
        <source>not sent: the project is shared</source>
        <translation>送られません: プロジェクトが共有されています</translation>
    </message>
    <message>
        <source>Select the words to remember first.</source>
        <translation>先に、記憶する言葉を選択してください。</translation>
    </message>
    <message>
        <source>Nothing is remembered: memory is off, and an environment variable decides that.</source>
        <translation>何も記憶されません。環境変数によってメモリーがオフになっています。</translation>
    </message>
    <message>
        <source>Keep “{fact}” as a memory?</source>
        <translation>「{fact}」をメモリーに保存しますか？</translation>
    </message>
    <message>
        <source>Memory is off. Turn it on and keep “{fact}”?</source>
        <translation>メモリーはオフです。オンにして「{fact}」を保存しますか？</translation>
    </message>
    <message>
        <source>Turn on and keep</source>
        <translation>オンにして保存</translation>
    </message>
    <message>
        <source>Kept as a memory.</source>
        <translation>メモリーに保存しました。</translation>
    </message>
    <message>
        <source>This is remembered already.</source>
        <translation>これはすでに記憶しています。</translation>
    </message>
    <message>
        <source>Remember the selection</source>
        <translation>選択部分を記憶</translation>
    </message>
    <message>
        <source>Memory is off, and an environment variable decides that. Nothing can be kept.</source>
        <translation>環境変数によってメモリーがオフになっています。何も保存できません。</translation>
    </message>
    <message>
        <source>Memory is off: nothing is kept or sent until you turn it on.</source>
        <translation>メモリーはオフです。オンにするまで、何も保存されず、何も送られません。</translation>
    </message>
    <message>
        <source>In this project</source>
        <translation>このプロジェクト</translation>
    </message>
    <message>
        <source>Turn memory on and keep</source>
        <translation>メモリーをオンにして保存</translation>
    </message>
    <message>
        <source>Memories in the export</source>
        <translation>エクスポート内のメモリー</translation>
    </message>
    <message>
        <source>Tick all</source>
        <translation>すべて選択</translation>
    </message>
    <message>
        <source>Remember the ticked ones</source>
        <translation>選択したものを記憶</translation>
    </message>
    <message>
        <source>Tick those that ChatDesk shall remember. They are sent to the providers that you allow.</source>
        <translation>ChatDeskに記憶させるものにチェックを入れてください。許可したプロバイダーに送られます。</translation>
    </message>
    <message>
        <source>Memory is off, so none can be taken. If you turn it on in Settings, Context, Memory and import the file again, ChatDesk keeps those that you tick, and sends them to the providers that you allow.</source>
        <translation>メモリーがオフのため、取り込めません。「設定」の「コンテキスト」の「メモリー」でオンにして、ファイルをもう一度インポートすると、チェックを入れたものが保存され、許可したプロバイダーに送られます。</translation>
    </message>
    <message numerus="yes">
        <source>{count} memories in the export</source>
        <comment>{count} memory in the export</comment>
        <translation>
            <numerusform>エクスポート内のメモリー: {count}件</numerusform>
        </translation>
    </message>
    <message>
        <source>{count}. {hint}</source>
        <translation>{count}。{hint}</translation>
    </message>
    <message>
        <source>No file or folder of the project has this name: {names}.</source>
        <translation>この名前のファイルやフォルダーはプロジェクトにありません: {names}。</translation>
    </message>
    <message>
        <source>Left out of the project&apos;s files: {names}.</source>
        <translation>プロジェクトのファイルから除外されています: {names}。</translation>
    </message>
    <message>
        <source>{provider} never gets files of this project: {names}.</source>
        <translation>{provider}にはこのプロジェクトのファイルを送らない設定です: {names}。</translation>
    </message>
    <message>
        <source>Not read yet: {names}.</source>
        <translation>まだ読み込んでいません: {names}。</translation>
    </message>
    <message>
        <source>Cannot be read: {names}.</source>
        <translation>読み込めません: {names}。</translation>
    </message>
    <message>
        <source>Looks like a secret, and is not read: {names}.</source>
        <translation>秘密情報のように見えるため、読み込みません: {names}。</translation>
    </message>
    <message>
        <source>Everything that you wrote here is kept on this computer, also what had not been sent.</source>
        <translation>ここで書いたものは、未送信のものも含め、すべてこのコンピューターに保存されています。</translation>
    </message>
    <message>
        <source>Join again with the new recovery phrase, or forget the folder.</source>
        <translation>新しいリカバリーフレーズでもう一度参加するか、フォルダーの使用をやめてください。</translation>
    </message>
    <message>
        <source>Everything that you wrote here is kept on this computer, and merged when you have joined again.</source>
        <translation>ここで書いたものはすべてこのコンピューターに保存されていて、もう一度参加すると統合されます。</translation>
    </message>
    <message>
        <source>Join again with the new recovery phrase. If you did not remove any, begin with another folder.</source>
        <translation>新しいリカバリーフレーズでもう一度参加してください。自分で外していない場合は、別のフォルダーで始めてください。</translation>
    </message>
    <message>
        <source>This recovery phrase was replaced when a computer was removed.</source>
        <translation>このリカバリーフレーズは、コンピューターを外したときに置き換えられました。</translation>
    </message>
    <message>
        <source>Use the phrase that was shown then.</source>
        <translation>そのときに表示されたフレーズを使ってください。</translation>
    </message>
    <message>
        <source>This computer was removed on {computer}.</source>
        <translation>このコンピューターは{computer}で外されました。</translation>
    </message>
    <message>
        <source>{name} was removed on {computer}, so there is a new recovery phrase.</source>
        <translation>{computer}で{name}が外されたため、リカバリーフレーズが新しくなりました。</translation>
    </message>
</context>
</TS>
